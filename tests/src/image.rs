//! One small OCI image with real digests (OCI image specification 1.1), in memory or as a layout
//! folder that skopeo reads.

mod pause;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use ring::digest::{SHA256, digest as hash};
use serde_json::{Value, json};
use tar::{Builder, Header};

/// Media type of an OCI manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image of one layer with one file.
#[derive(Clone)]
pub struct Image {
    /// The manifest's bytes, over which its digest is taken.
    pub manifest: Vec<u8>,
    /// The configuration's bytes.
    pub config: Vec<u8>,
    /// The layer's bytes: a gzip-compressed tar archive.
    pub layer: Vec<u8>,
}

impl Image {
    /// An image whose `/hello.txt` reads `text`. The same text gives the same digest.
    pub fn with_text(text: &str) -> Self {
        let config = json!({"Cmd": ["/hello.txt"]});
        Self::with_files(&config, &[("hello.txt", text.as_bytes(), 0o644)])
    }

    /// An image of a container that runs until it is killed (see [`Self::with_text`] for `text`).
    pub fn that_runs(text: &str) -> Self {
        let config = json!({"Entrypoint": ["/pause"]});
        let text = ("hello.txt", text.as_bytes(), 0o644);
        Self::with_files(&config, &[("pause", &pause::program(), 0o755), text])
    }

    fn with_files(config: &Value, files: &[(&str, &[u8], u32)]) -> Self {
        let archive = archive(files);
        let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        gzip.write_all(&archive).unwrap();
        let layer = gzip.finish().unwrap();
        let config = json!({
            "architecture": pause::ARCHITECTURE,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest(&archive)]},
        });
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, &config),
            "layers": [descriptor(LAYER_TYPE, &layer)],
        });
        Self { manifest: manifest.to_string().into_bytes(), config, layer }
    }

    /// The manifest's digest: the image's name by content.
    pub fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// The blob of that digest.
    pub fn blob(&self, wanted: &str) -> Option<&[u8]> {
        [&self.config, &self.layer].into_iter().map(Vec::as_slice).find(|b| digest(b) == wanted)
    }

    /// Writes an OCI layout, which skopeo reads as `oci:<folder>:<tag>`.
    pub fn write_layout(&self, folder: &Path, tag: &str) {
        for (name, bytes) in self.layout(&json!({"org.opencontainers.image.ref.name": tag})) {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }

    /// Writes an archive of that layout, which containerd imports under the reference `name`.
    pub fn write_archive(&self, file: &Path, name: &str) {
        let files = self.layout(&json!({"io.containerd.image.name": name}));
        let files: Vec<(&str, &[u8], u32)> =
            files.iter().map(|(name, bytes)| (&**name, &**bytes, 0o644)).collect();
        fs::write(file, archive(&files)).unwrap();
    }

    /// The files of an OCI layout, whose index has these annotations.
    fn layout(&self, annotations: &Value) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<(String, Vec<u8>)> = [&self.manifest, &self.config, &self.layer]
            .into_iter()
            .map(|bytes| (format!("blobs/{}", digest(bytes).replace(':', "/")), bytes.clone()))
            .collect();
        let mut entry = descriptor(MANIFEST_TYPE, &self.manifest);
        entry["annotations"] = annotations.clone();
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        files.push(("index.json".to_owned(), index.to_string().into_bytes()));
        files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
        files
    }
}

/// `sha256:` and the hexadecimal SHA-256 of `bytes`.
pub fn digest(bytes: &[u8]) -> String {
    let hash = hash(&SHA256, bytes);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()})
}

fn archive(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, content, mode) in files {
        let mut header = Header::new_gnu();
        header.set_size(content.len().try_into().unwrap());
        header.set_mode(*mode);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn the_digest_is_the_well_known_one() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(b""), empty);
    }

    #[test]
    fn manifest_config_and_layer_name_each_other() {
        let image = Image::with_text("hi");
        let manifest: Value = serde_json::from_slice(&image.manifest).unwrap();
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        let mut archive = Vec::new();
        GzDecoder::new(image.blob(layer).unwrap()).read_to_end(&mut archive).unwrap();
        let config = image.blob(manifest["config"]["digest"].as_str().unwrap()).unwrap();
        let config: Value = serde_json::from_slice(config).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], digest(&archive));
        assert_ne!(image.digest(), Image::with_text("ho").digest());
    }
}
