//! What Google answers: the metadata server, STS, the IAM Service Account Credentials API.

use pullpass_gar::PLUGIN;

use crate::run::Run;

const POOL: &str = "--workload-identity-provider=projects/123456789012/locations/global/\
                    workloadIdentityPools/edge/providers/k3s";
const IMPERSONATE: &str = "--service-account=pull@contoso.iam.gserviceaccount.com";

/// The digit of a case, and the answers.
pub fn run(input: &[u8]) {
    let Some((case, answers)) = input.split_first() else { return };
    let (args, annotations): (&[&str], Option<&[_]>) = match case {
        b'0' => (&[], None),
        b'1' => (&[POOL, IMPERSONATE], Some(&[])),
        b'2' => (
            &["--identity-provider=https://container.googleapis.com/v1/projects/p/locations/l/clusters/c",
              "--without-annotation=pod"],
            Some(&[]),
        ),
        _ => (&[POOL], Some(&[])),
    };
    let image = "us-docker.pkg.dev/contoso/team/app";
    Run { plugin: &PLUGIN, args, env: &[], image, annotations }.check(answers);
}
