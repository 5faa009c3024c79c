//! The presets: name, how far it was checked, what it needs.

use super::{Parameter, ParameterDefault, Preset, Status};

const fn needs(name: &'static str, help: &'static str) -> Parameter {
    Parameter { name, default: ParameterDefault::Missing, help }
}

const fn may(name: &'static str, default: &'static str, help: &'static str) -> Parameter {
    Parameter { name, default: ParameterDefault::Default(default), help }
}

const fn annotated(name: &'static str, help: &'static str) -> Parameter {
    Parameter { name, default: ParameterDefault::Annotation, help }
}

/// All of them.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "artifactory",
        status: Status::ThirdPartyClient,
        parameters: &[
            needs("host", "Artifactory, as HOST[:PORT]"),
            needs("provider", "the name of the OIDC integration"),
            may("registry", "${host}", "the registry, as HOST[:PORT][/PATH]"),
            may("audience", "${host}", "the audience of the pod's token"),
            may("oidcAudience", "", "the audience that the integration wants named"),
            may("project", "", "the project's key"),
        ],
        text: include_str!("../../../presets/artifactory.yaml"),
    },
    Preset {
        name: "quay",
        status: Status::VendorCode,
        parameters: &[
            may("host", "quay.io", "Quay, as HOST[:PORT]"),
            may("registry", "${host}", "the registry"),
            may("audience", "${host}", "the audience of the pod's token"),
            annotated(
                "robot",
                "the robot ORGANIZATION+NAME; else the annotation `quay.io/federated-robot-account`",
            ),
        ],
        text: include_str!("../../../presets/quay.yaml"),
    },
    Preset {
        name: "cloudsmith",
        status: Status::VendorCode,
        parameters: &[
            needs("organization", "the organization"),
            may("api", "api.cloudsmith.io", "the API"),
            may("registry", "docker.cloudsmith.io", "the registry"),
            may("audience", "${api}", "the audience of the pod's token"),
            annotated(
                "service",
                "the service's name; else the annotation `cloudsmith.io/service-slug`",
            ),
        ],
        text: include_str!("../../../presets/cloudsmith.yaml"),
    },
    Preset {
        name: "chainguard",
        status: Status::VendorCode,
        parameters: &[
            may("sts", "issuer.enforce.dev", "the STS"),
            may("audience", "https://issuer.enforce.dev", "the audience of the pod's token"),
            annotated(
                "identity",
                "the assumed identity; else the annotation `credentials.chainguard.dev/identity`",
            ),
        ],
        text: include_str!("../../../presets/chainguard.yaml"),
    },
    Preset {
        name: "yandex",
        status: Status::ThirdPartyClient,
        parameters: &[
            needs("audience", "the audience of the pod's token, one of the federation's"),
            may("registry", "cr.yandex", "the registry"),
            annotated(
                "serviceAccount",
                "the service account's ID; else the annotation `yandex.cloud/federated-yc-service-account-id`",
            ),
        ],
        text: include_str!("../../../presets/yandex.yaml"),
    },
    Preset {
        name: "docker-hub",
        status: Status::VendorCode,
        parameters: &[
            needs("organization", "the organization: the user name"),
            needs("connection", "the ID of the OIDC connection"),
            may("expiresIn", "300", "how many seconds the token shall live, 300 to 21600"),
            may("audience", "https://identity.docker.com", "the audience of the pod's token"),
        ],
        text: include_str!("../../../presets/docker-hub.yaml"),
    },
    Preset {
        name: "ibm",
        status: Status::DocsOnly,
        parameters: &[
            may("profileId", "", "the trusted profile's ID; this or profileName"),
            may("profileName", "", "the trusted profile's name; this or profileId"),
            may("iam", "iam.cloud.ibm.com", "IAM"),
            may("audience", "iam", "the audience of the pod's token"),
        ],
        text: include_str!("../../../presets/ibm.yaml"),
    },
    Preset {
        name: "google-sts",
        status: Status::VendorCode,
        parameters: &[
            needs("provider", "projects/N/locations/global/workloadIdentityPools/P/providers/X"),
            needs(
                "audience",
                "the audience of the pod's token: `https://iam.googleapis.com/` and the provider",
            ),
        ],
        text: include_str!("../../../presets/google-sts.yaml"),
    },
    Preset {
        name: "google-sts-impersonation",
        status: Status::VendorCode,
        parameters: &[
            needs("provider", "projects/N/locations/global/workloadIdentityPools/P/providers/X"),
            needs(
                "audience",
                "the audience of the pod's token: `https://iam.googleapis.com/` and the provider",
            ),
            needs("serviceAccount", "the Google service account"),
        ],
        text: include_str!("../../../presets/google-sts-impersonation.yaml"),
    },
    Preset {
        name: "dex",
        status: Status::VendorCode,
        parameters: &[
            needs("issuer", "Dex's issuer, a URL"),
            needs("registry", "the registry"),
            needs("connector", "the connector's ID"),
            needs("clientId", "the client"),
            needs("secretFile", "the file of its secret"),
            may("audience", "${issuer}", "the audience of the pod's token"),
            may("requestedTokenType", "access_token", "or `id_token`"),
            may("scope", "openid", "the scopes"),
            may("username", "token", "the registry's user name"),
        ],
        text: include_str!("../../../presets/dex.yaml"),
    },
    Preset {
        name: "keycloak",
        status: Status::DocsOnly,
        parameters: &[
            needs(
                "issuer",
                "the realm, a URL: https://HOST/realms/NAME; also the audience of the pod's token",
            ),
            needs("registry", "the registry"),
            may("scope", "", "the scopes"),
            may("username", "token", "the registry's user name"),
        ],
        text: include_str!("../../../presets/keycloak.yaml"),
    },
    Preset {
        name: "keycloak-grant",
        status: Status::DocsOnly,
        parameters: &[
            needs(
                "issuer",
                "the realm, a URL: https://HOST/realms/NAME; also the audience of the pod's token",
            ),
            needs("registry", "the registry"),
            needs("clientId", "the client"),
            needs("secretFile", "the file of its secret"),
            may("scope", "", "the scopes"),
            may("username", "token", "the registry's user name"),
        ],
        text: include_str!("../../../presets/keycloak-grant.yaml"),
    },
    Preset {
        name: "entra",
        status: Status::DocsOnly,
        parameters: &[
            needs("tenant", "the tenant"),
            needs("clientId", "the application"),
            needs("scope", "the resource, such as `api://APP/.default`"),
            needs("registry", "the registry"),
            may("authority", "login.microsoftonline.com", "Entra"),
            may("audience", "api://AzureADTokenExchange", "the audience of the pod's token"),
            may("username", "token", "the registry's user name"),
        ],
        text: include_str!("../../../presets/entra.yaml"),
    },
    Preset {
        name: "vault-kv",
        status: Status::VendorCode,
        parameters: &[
            needs("address", "Vault, a URL"),
            needs("role", "the role of the JWT auth method"),
            needs("path", "the API's path, MOUNT/data/PATH"),
            needs("registry", "the registry"),
            needs("audience", "the audience of the pod's token, that the role is bound to"),
            may("mount", "jwt", "where the auth method is mounted"),
            may("namespace", "", "the namespace"),
        ],
        text: include_str!("../../../presets/vault-kv.yaml"),
    },
    Preset {
        name: "vault-kv1",
        status: Status::VendorCode,
        parameters: &[
            needs("address", "Vault, a URL"),
            needs("role", "the role of the JWT auth method"),
            needs("path", "the API's path, MOUNT/PATH"),
            needs("registry", "the registry"),
            needs("audience", "the audience of the pod's token, that the role is bound to"),
            may("mount", "jwt", "where the auth method is mounted"),
            may("namespace", "", "the namespace"),
        ],
        text: include_str!("../../../presets/vault-kv1.yaml"),
    },
    Preset {
        name: "vault-artifactory",
        status: Status::VendorCode,
        parameters: &[
            needs("address", "Vault, a URL"),
            needs("role", "the role of the JWT auth method"),
            needs("path", "the API's path, artifactory/token/ROLE or artifactory/user_token/USER"),
            needs("registry", "the registry"),
            needs("audience", "the audience of the pod's token, that the role is bound to"),
            may("mount", "jwt", "where the auth method is mounted"),
            may("namespace", "", "the namespace"),
        ],
        text: include_str!("../../../presets/vault-artifactory.yaml"),
    },
    Preset {
        name: "vault-harbor",
        status: Status::VendorCode,
        parameters: &[
            needs("address", "Vault, a URL"),
            needs("role", "the role of the JWT auth method"),
            needs("path", "the API's path, MOUNT/creds/ROLE"),
            needs("registry", "the registry"),
            needs("audience", "the audience of the pod's token, that the role is bound to"),
            may("mount", "jwt", "where the auth method is mounted"),
            may("namespace", "", "the namespace"),
        ],
        text: include_str!("../../../presets/vault-harbor.yaml"),
    },
    Preset {
        name: "artifact-keeper",
        status: Status::VendorCode,
        parameters: &[
            needs("host", "Artifact Keeper, as HOST[:PORT]"),
            may("providerId", "", "the provider's ID"),
            may("registry", "${host}", "the registry"),
            may("audience", "${host}", "the audience of the pod's token"),
        ],
        text: include_str!("../../../presets/artifact-keeper.yaml"),
    },
    Preset {
        name: "harbor-bridge",
        status: Status::ThirdPartyClient,
        parameters: &[
            needs("host", "the bridge, as HOST[:PORT]"),
            needs("registry", "Harbor, as HOST[:PORT]"),
            may("audience", "${host}", "the audience of the pod's token"),
        ],
        text: include_str!("../../../presets/harbor-bridge.yaml"),
    },
    Preset {
        name: "zot",
        status: Status::VendorCode,
        parameters: &[
            needs("registry", "Zot, as HOST[:PORT]"),
            may("audience", "${registry}", "the audience of the pod's token"),
            may("username", "jwt", "any name"),
        ],
        text: include_str!("../../../presets/passthrough.yaml"),
    },
    Preset {
        name: "harbor-next",
        status: Status::VendorCode,
        parameters: &[
            needs("registry", "Harbor, as HOST[:PORT]"),
            may("audience", "${registry}", "the audience of the pod's token"),
            may("username", "jwt", "any name"),
        ],
        text: include_str!("../../../presets/passthrough.yaml"),
    },
    Preset {
        name: "buildkite",
        status: Status::DocsOnly,
        parameters: &[
            needs("audience", "the audience of the pod's token: the registry's URL"),
            may("registry", "packages.buildkite.com", "the registry, with the path of one"),
            may("username", "buildkite", "the user name"),
        ],
        text: include_str!("../../../presets/passthrough.yaml"),
    },
    Preset {
        name: "passthrough",
        status: Status::DocsOnly,
        parameters: &[
            needs("registry", "the registry, as HOST[:PORT][/PATH]"),
            may("audience", "${registry}", "the audience of the pod's token"),
            may("username", "jwt", "the registry's user name"),
        ],
        text: include_str!("../../../presets/passthrough.yaml"),
    },
    Preset {
        name: "static",
        status: Status::DocsOnly,
        parameters: &[
            needs("registry", "the registry, as HOST[:PORT][/PATH]"),
            needs("file", "a file with {\"username\": ..., \"password\": ...}"),
        ],
        text: include_str!("../../../presets/static.yaml"),
    },
];
