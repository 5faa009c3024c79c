//! Pods: how they are created, and what happens to them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::api::Api;
use super::machine::NODE;

/// A pod to be made. It has no token of its own and shares the network of its node.
#[derive(Clone)]
pub struct PodSpec {
    object: Value,
}

impl PodSpec {
    /// A pod of one container, whose image is asked for at the registry every time.
    pub fn new(namespace: &str, service_account: &str, image: &str) -> Self {
        let container = json!({"name": "main", "image": image, "imagePullPolicy": "Always"});
        let object = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": namespace},
            "spec": {
                "nodeName": NODE,
                "hostNetwork": true,
                "serviceAccountName": service_account,
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                "terminationGracePeriodSeconds": 0,
                "tolerations": [{"operator": "Exists"}],
                "containers": [container],
            },
        });
        Self { object }
    }

    /// Takes an image that is here already without asking the registry, if the kubelet allows it.
    pub fn if_not_present(mut self) -> Self {
        self.object["spec"]["containers"][0]["imagePullPolicy"] = json!("IfNotPresent");
        self
    }

    /// With the files of another image at `/data`.
    pub fn image_volume(mut self, image: &str) -> Self {
        let volume = json!({"name": "data", "image": {"reference": image, "pullPolicy": "Always"}});
        self.object["spec"]["volumes"] = json!([volume]);
        let mount = json!({"name": "data", "mountPath": "/data"});
        self.object["spec"]["containers"][0]["volumeMounts"] = json!([mount]);
        self
    }

    /// Makes it under that name.
    pub(super) fn create(mut self, api: &Api, name: &str) -> Pod {
        self.object["metadata"]["name"] = json!(name);
        api.create(&self.object);
        self.made(name.to_owned())
    }

    /// Makes it under that name as a file of the kubelet's `staticPodPath`: it has no service
    /// account.
    pub(super) fn create_static(mut self, name: &str, folder: &Path) -> Pod {
        self.object["metadata"]["name"] = json!(name);
        let spec = self.object["spec"].as_object_mut().unwrap();
        for field in ["nodeName", "serviceAccountName"] {
            spec.remove(field);
        }
        fs::write(folder.join(format!("{name}.json")), self.object.to_string()).unwrap();
        self.made(format!("{name}-{NODE}"))
    }

    fn made(&self, name: String) -> Pod {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let image = text(&self.object["spec"]["containers"][0]["image"]);
        Pod { namespace: text(&self.object["metadata"]["namespace"]), name, image }
    }
}

/// A pod that was made.
#[derive(Clone)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The image of its container.
    pub image: String,
}

/// One line of what the kubelet told about a pod.
#[derive(Clone, Debug)]
pub struct Event {
    /// `Pulling`, `Pulled`, `Failed`, `BackOff`, `Started` and others.
    pub reason: String,
    /// The text that `kubectl describe pod` shows.
    pub message: String,
    /// How often it was told.
    pub count: u64,
}

impl Pod {
    /// `NAMESPACE/NAME`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// Where the API server has it.
    pub fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/pods/{}", self.namespace, self.name)
    }

    /// The UID by which its kubelet knows it. The API server's copy of a static pod has another
    /// one.
    pub fn uid(&self, api: &Api) -> String {
        let metadata = &api.get(&self.path())["metadata"];
        let of_static_pod = metadata["annotations"]["kubernetes.io/config.hash"].as_str();
        of_static_pod.or(metadata["uid"].as_str()).expect("a pod has a UID").to_owned()
    }

    /// Waits until its container runs; returns the container's identifier.
    pub(super) fn wait_until_running(&self, api: &Api) -> String {
        api.wait_for(&format!("container of `{}`", self.full_name()), &self.path(), |pod| {
            let status = &pod["status"]["containerStatuses"][0];
            status["state"]["running"].is_object().then_some(())?;
            let identifier = status["containerID"].as_str()?;
            Some(identifier.trim_start_matches("containerd://").to_owned())
        })
    }

    /// Waits until the pull has failed; returns the event's text.
    pub(super) fn wait_until_refused(&self, api: &Api) -> String {
        api.wait_for(&format!("failed pull of `{}`", self.full_name()), &self.path(), |_| {
            let failed = |event: &Event| {
                event.reason == "Failed" && event.message.starts_with("Failed to pull image")
                    || event.reason == "ErrImageNeverPull"
            };
            self.events(api).into_iter().find(failed).map(|event| event.message)
        })
    }

    /// What the kubelet told so far, the oldest first.
    pub fn events(&self, api: &Api) -> Vec<Event> {
        let list = api.get(&format!("/api/v1/namespaces/{}/events", self.namespace));
        let mut events: Vec<&Value> = list["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|event| event["involvedObject"]["name"] == self.name.as_str())
            .collect();
        events.sort_by_key(|event| event["metadata"]["creationTimestamp"].to_string());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        events
            .into_iter()
            .map(|event| Event {
                reason: text(&event["reason"]),
                message: text(&event["message"]),
                count: event["count"].as_u64().unwrap_or(1),
            })
            .collect()
    }

    /// The events in one text, for a person.
    pub fn story(&self, api: &Api) -> String {
        let mut text = String::new();
        for event in self.events(api) {
            let _ = writeln!(text, "{} x{}: {}", event.reason, event.count, event.message);
        }
        text
    }
}
