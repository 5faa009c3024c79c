//! What Azure answers: Entra through its crate, the metadata service, App Service and Arc, a cloud's
//! resource manager, a registry's challenge, and its tokens.

use pullpass_acr::PLUGIN;

use crate::run::Run;
use crate::{files, secrets};

const APPLICATION: &[(&str, &str)] = &[
    ("kubernetes.azure.com/acr-client-id", "2b1c8f0e-0000-4000-8000-000000000001"),
    ("kubernetes.azure.com/acr-tenant-id", "2b1c8f0e-0000-4000-8000-000000000002"),
];
const TENANT: &str = "--tenant-id=2b1c8f0e-0000-4000-8000-000000000002";

/// The digit of a case, and the answers.
pub fn run(input: &[u8]) {
    let Some((case, answers)) = input.split_first() else { return };
    let secret = files::write("secret", secrets::TOKEN.as_bytes()).display().to_string();
    let secret = format!("--client-secret-file={secret}");
    let stack = files::write(
        "azure.json",
        br#"{"useManagedIdentityExtension": true, "resourceManagerEndpoint": "https://m.stack.example"}"#,
    );
    let stack = stack.display().to_string();
    let app_service = [
        ("IDENTITY_ENDPOINT", "http://169.254.130.1:8081/msi/token"),
        ("IDENTITY_HEADER", secrets::TOKEN.as_str()),
    ];
    let arc = [
        ("IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token"),
        ("IMDS_ENDPOINT", "http://localhost:40342"),
    ];
    let system = "--managed-identity=system";
    let id = "--client-id=2b1c8f0e-0000-4000-8000-000000000003";
    let (args, env, annotations): (&[&str], &[(&str, &str)], _) = match case {
        b'0' => (&[system], &[], None),
        b'1' => (&[system], &app_service, None),
        b'2' => (&[system], &arc, None),
        b'3' => (&[TENANT, id, &secret], &[], None),
        b'4' => (&[&stack, "--cloud=Stack"], &[], None),
        b'5' => (&["--repository-scope"], &[], Some(APPLICATION)),
        _ => (&[], &[], Some(APPLICATION)),
    };
    let image = "contoso.azurecr.io/team/app";
    Run { plugin: &PLUGIN, args, env, image, annotations }.check(answers);
}
