//! One small OCI image with real digests (OCI image specification 1.1), in memory or as a layout
//! folder that skopeo reads.

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

/// An image of one layer with one text file.
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
        let archive = archive(text);
        let mut gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        gzip.write_all(&archive).unwrap();
        let layer = gzip.finish().unwrap();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/hello.txt"]},
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
        let blobs = folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        for bytes in [&self.manifest, &self.config, &self.layer] {
            let name = digest(bytes);
            fs::write(blobs.join(name.trim_start_matches("sha256:")), bytes).unwrap();
        }
        let mut entry = descriptor(MANIFEST_TYPE, &self.manifest);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        let index = json!({"schemaVersion": 2, "manifests": [entry]});
        fs::write(folder.join("index.json"), index.to_string()).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
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

fn archive(text: &str) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_size(text.len().try_into().unwrap());
    header.set_mode(0o644);
    let mut archive = Builder::new(Vec::new());
    archive.append_data(&mut header, "hello.txt", text.as_bytes()).unwrap();
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
