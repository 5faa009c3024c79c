//! The API server and its etcd, and a client with every right.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::machine::{ADDRESS, command};
use super::program::{Program, wait_for};
use super::programs::Programs;
use crate::jwt::{self, SigningKey};
use crate::world::World;

/// The API server's name, which no plugin may be sent to.
pub const HOST: &str = "api.example";
/// The `iss` of its tokens.
pub const ISSUER: &str = "https://api.example";
const ETCD: &str = "http://127.0.0.1:2379";
/// Whom RBAC lets do everything.
const ADMINISTRATORS: &str = "system:masters";

/// The running API server.
pub struct Api {
    client: Client,
    runtime: Runtime,
    key: SigningKey,
    _etcd: Program,
    _server: Program,
}

impl Api {
    /// Starts etcd and the API server, and waits until it is ready.
    pub(super) fn start(world: &World, programs: &Programs, folder: &Path) -> Self {
        let mut etcd = command(&programs.etcd);
        etcd.arg("--data-dir").arg(folder.join("etcd")).args([
            "--unsafe-no-fsync",
            &format!("--listen-client-urls={ETCD}"),
            &format!("--advertise-client-urls={ETCD}"),
        ]);
        let etcd = Program::start("etcd", etcd, folder);
        let mut server = command(&programs.api_server);
        let key = SigningKey::generate();
        server.args(options(world, folder, &key));
        let mut server = Program::start("kube-apiserver", server, folder);
        let client = world.ca().client_as("admin", ADMINISTRATORS);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let ready = || {
            runtime.block_on(async {
                let response = client.get(format!("{ISSUER}/readyz")).send().await.ok()?;
                (response.status() == StatusCode::OK).then_some(())
            })
        };
        server.wait_until("it was ready", |_| ready().is_some());
        Self { client, runtime, key, _etcd: etcd, _server: server }
    }

    /// Asks, and returns the object of the answer.
    ///
    /// # Errors
    /// The status and message of a refusal.
    pub fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, String)>,
    ) -> Result<Value, String> {
        self.runtime.block_on(async {
            let mut request = self.client.request(method, format!("{ISSUER}{path}"));
            if let Some((kind, body)) = body {
                request = request.header("content-type", kind).body(body);
            }
            let response = request.send().await.map_err(|error| error.to_string())?;
            let status = response.status();
            let body: Value = response.json().await.unwrap_or_default();
            if status.is_success() {
                return Ok(body);
            }
            Err(format!("{status}: {}", body["message"].as_str().unwrap_or("no message")))
        })
    }

    /// The object, or the list, at that path.
    pub fn get(&self, path: &str) -> Value {
        self.request(Method::GET, path, None).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Makes that object. One that is there already stays as it is.
    pub fn create(&self, object: &Value) -> Value {
        let path = path_of(object);
        let body = Some(("application/json", object.to_string()));
        match self.request(Method::POST, &path, body) {
            Ok(created) => created,
            Err(error) if error.starts_with("409") => Value::Null,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Makes the objects of a YAML text, each document sent as it is; returns the answers. Those
    /// that are there already stay as they are.
    pub fn create_yaml(&self, text: &str) -> Vec<Value> {
        let create = |text: &str| {
            let body = Some(("application/yaml", text.to_owned()));
            let path = path_of(&type_and_name(text));
            match self.request(Method::POST, &path, body) {
                Ok(created) => created,
                Err(error) if error.starts_with("409") => Value::Null,
                Err(error) => panic!("{path}: {error}\n{text}"),
            }
        };
        text.split("\n---\n").map(create).collect()
    }

    /// Removes the objects of such a text.
    pub fn delete_yaml(&self, text: &str) {
        for object in text.split("\n---\n").map(type_and_name) {
            let name = object["metadata"]["name"].as_str().unwrap();
            self.delete(&format!("{}/{name}", path_of(&object)));
        }
    }

    /// Removes the object at that path at once.
    pub fn delete(&self, path: &str) {
        let options = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        let body = Some(("application/json", options.to_string()));
        match self.request(Method::DELETE, path, body) {
            Err(error) if !error.starts_with("404") => panic!("{path}: {error}"),
            _ => {}
        }
    }

    /// The kubelet's metrics, in the text form of Prometheus.
    pub(super) fn kubelet_metrics(&self) -> String {
        let url = format!("https://{ADDRESS}:10250/metrics");
        self.runtime.block_on(async {
            let response = self.client.get(url).send().await.unwrap();
            response.error_for_status().unwrap().text().await.unwrap()
        })
    }

    /// A token of a service account for an audience, as `kubectl create token` gets it.
    pub fn token(&self, namespace: &str, service_account: &str, audience: &str) -> String {
        let path =
            format!("/api/v1/namespaces/{namespace}/serviceaccounts/{service_account}/token");
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"audiences": [audience]},
        });
        let body = Some(("application/json", body.to_string()));
        let answer = self.request(Method::POST, &path, body).unwrap();
        answer["status"]["token"].as_str().unwrap().to_owned()
    }

    /// A token that this API server would have signed two hours ago, an hour past its end.
    pub fn sign_expired(&self, namespace: &str, service_account: &str, audience: &str) -> String {
        let (header, mut claims) = jwt::parts(&self.token(namespace, service_account, audience))
            .expect("an API server's token is a JWT");
        for (claim, seconds) in [("iat", -7200), ("nbf", -7200), ("exp", -3600)] {
            claims[claim] = json!(jwt::now() + seconds);
        }
        self.key.sign_with_header(&header, &claims)
    }

    /// Waits until the API server shows something.
    pub fn wait_for<T>(&self, what: &str, path: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        let object = || self.request(Method::GET, path, None);
        let seen = || object().ok().and_then(|object| look(&object));
        wait_for(what, seen, || format!("{:#}", object().unwrap_or_default()))
    }
}

/// The API server's command line. Its files are written to the folder.
fn options(world: &World, folder: &Path, signing_key: &SigningKey) -> Vec<String> {
    let server = world.certificate(&[HOST]);
    let pair = signing_key.certificate_key();
    let write = |name: &str, text: &str| {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let signing = write("service-accounts.key.pem", &pair.serialize_pem());
    let verifying = write("service-accounts.pem", &pair.public_key_pem());
    let (certificate, key) = world.ca().client_certificate("kube-apiserver", ADMINISTRATORS);
    let address: IpAddr = world.address_of(HOST);
    let (ca, certificates) = (world.ca().pem_file(), folder.join("api"));
    vec![
        format!("--etcd-servers={ETCD}"),
        "--secure-port=443".to_owned(),
        format!("--bind-address={address}"),
        format!("--advertise-address={ADDRESS}"),
        format!("--cert-dir={}", certificates.display()),
        format!("--tls-cert-file={}", server.certificate.display()),
        format!("--tls-private-key-file={}", server.key.display()),
        format!("--client-ca-file={}", ca.display()),
        format!("--kubelet-client-certificate={}", write("api-client.pem", &certificate)),
        format!("--kubelet-client-key={}", write("api-client.key.pem", &key)),
        format!("--service-account-issuer={ISSUER}"),
        format!("--service-account-jwks-uri={ISSUER}/openid/v1/jwks"),
        format!("--service-account-signing-key-file={signing}"),
        format!("--service-account-key-file={verifying}"),
        "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
    ]
}

/// What says where an object of a YAML text is: its type and its own name.
fn type_and_name(text: &str) -> Value {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap_or_default().trim().to_owned()
    };
    json!({
        "apiVersion": field("apiVersion:"),
        "kind": field("kind:"),
        "metadata": {"name": field("  name:")},
    })
}

/// Where an object of that kind is made.
fn path_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let base = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
    let namespace = match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("/namespaces/{namespace}"),
        None => String::new(),
    };
    format!("{base}{namespace}/{}s", kind.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_an_object_follows_from_its_type() {
        let path = |version: &str, kind: &str, metadata: Value| {
            path_of(&json!({"apiVersion": version, "kind": kind, "metadata": metadata}))
        };
        let pod = path("v1", "Pod", json!({"namespace": "shop", "name": "web"}));
        assert_eq!(pod, "/api/v1/namespaces/shop/pods");
        let role = path("rbac.authorization.k8s.io/v1", "ClusterRole", json!({"name": "x"}));
        assert_eq!(role, "/apis/rbac.authorization.k8s.io/v1/clusterroles");
    }
}
