//! Amazon ECR: by the node's keys, by the metadata service, and by the pod's role.

use std::any::Any;

use pullpass_tests::fakes::aws::{Aws, Endpoint, Instance, PULL, Role, Service};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::server::Socket;
use pullpass_tests::tls::TestCa;

use crate::cases::{Cases, request};

const REGION: &str = "us-west-2";
const ACCOUNT: &str = "111122223333";
const NODE: &str = "arn:aws:iam::111122223333:role/node";
const POD: &str = "arn:aws:iam::111122223333:role/pull";
const IMAGE: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com/team/app:1";
const AUDIENCE: &str = "sts.amazonaws.com";

/// Starts the servers and writes the cases.
pub(crate) fn start(cases: &Cases, ca: &TestCa) -> Box<dyn Any> {
    let issuer = Issuer::start(Some(ca));
    let aws = Aws::new();
    aws.add_issuer(ACCOUNT, issuer.url(), &[AUDIENCE], ca.client());
    aws.add_role(Role::new(NODE).allow(&PULL));
    let pull = Role::new(POD).allow(&PULL);
    aws.add_role(pull.trust_issuer(issuer.url(), AUDIENCE, &["system:serviceaccount:demo:web"]));

    let serve = |service, ca| Socket::bind(ca).serve(aws.router_at(Endpoint::new(service, REGION)));
    let plain = serve(Service::Ecr, None);
    let (ecr, sts) = (serve(Service::Ecr, Some(ca)), serve(Service::Sts, Some(ca)));
    let imds = Socket::bind(None).serve(aws.imds(Instance::new(NODE, REGION)));

    let node = request(IMAGE);
    let mut pod = request(IMAGE);
    pod["serviceAccountToken"] = issuer.token(AUDIENCE).build().into();
    pod["serviceAccountAnnotations"]["eks.amazonaws.com/ecr-role-arn"] = POD.into();

    // The plugin takes the region from the host; the SDK on its own has to be told.
    let at = |ecr: &str| {
        vec![("AWS_REGION", REGION.to_owned()), ("AWS_ENDPOINT_URL_ECR", ecr.to_owned())]
    };
    let keys = aws.session(NODE, "i-0abc", 3600).env();
    let with_keys = |ecr: &str| [at(ecr), keys.clone()].concat();
    let metadata = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.url().to_owned());
    let add = |name: &str, environment: Vec<_>, request| {
        cases.add(name, &[], &environment, request);
    };
    add("keys-http", with_keys(plain.url()), &node);
    add("keys-tls", with_keys(ecr.url()), &node);
    add("imds-tls", [at(ecr.url()), vec![metadata]].concat(), &node);
    let regional = ("AWS_ENDPOINT_URL_STS", sts.url().to_owned());
    add("pod-tls", [at(ecr.url()), vec![regional]].concat(), &pod);
    add("silent-http", with_keys(&cases.silent("http")), &node);
    add("silent-tls", with_keys(&cases.silent("https")), &node);
    Box::new((issuer, plain, ecr, sts, imds))
}
