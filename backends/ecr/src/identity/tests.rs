use std::ffi::OsString;

use pullpass::{Env, ErrorKind, Options};

use super::*;

const REGISTRY: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com";
const ANNOTATION: &str = "eks.amazonaws.com/ecr-role-arn";

fn roles(args: &[&str], env: &[(&str, &str)]) -> Result<Roles, Error> {
    let args = args.iter().map(OsString::from);
    let env = Env::from_iter(env.iter().copied());
    Roles::parse(&Options::parse(crate::PLUGIN.options, args, &env).unwrap())
}

/// An unsigned token: only its claims are read here.
fn account(annotations: &[(&str, &str)]) -> ServiceAccount {
    let claims = "eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6c2hvcDp3ZWIiLCJleHAiOjQxMDI0NDQ4MDB9";
    let token = Token::parse(format!("e30.{claims}.c2ln")).unwrap();
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    ServiceAccount::new(token, annotations.iter().map(pair).collect())
}

fn arn(name: &str) -> String {
    format!("arn:aws:iam::111122223333:role/{name}")
}

/// Who asks: `pod NAME`, `node NAME`, `node`, or the error.
fn choose(roles: &Roles, account: Option<&ServiceAccount>, host: &str) -> String {
    let registry = Registry::from_host(host).unwrap();
    let name = |role: &Role| role.arn.rsplit('/').next().unwrap().to_owned();
    match Identity::choose(roles, account, &registry) {
        Ok(Identity::Pod(role, _)) => format!("pod {}", name(&role)),
        Ok(Identity::NodeInRole(role)) => format!("node {}", name(&role)),
        Ok(Identity::Node) => "node".to_owned(),
        Err(error) => format!("{:?}: {error}", error.kind()),
    }
}

#[test]
fn the_annotation_takes_precedence_over_the_option_over_the_accounts_map() {
    let by_account = format!("--role=111122223333={}", arn("account"));
    let by_option = format!("--role-arn={}", arn("option"));
    let annotated = account(&[(ANNOTATION, &arn("annotated"))]);
    let plain = account(&[]);
    let both = roles(&[&by_account, &by_option], &[]).unwrap();
    assert_eq!(choose(&both, Some(&annotated), REGISTRY), "pod annotated");
    assert_eq!(choose(&both, Some(&plain), REGISTRY), "pod option");
    let mapped = roles(&[&by_account], &[]).unwrap();
    assert_eq!(choose(&mapped, Some(&plain), REGISTRY), "pod account");
    assert_eq!(
        choose(&mapped, Some(&plain), "999999999999.dkr.ecr.us-west-2.amazonaws.com"),
        "Identity: no role is named for `system:serviceaccount:shop:web`"
    );
    let env = roles(&[], &[("AWS_ECR_ROLE_ARN", &arn("env"))]).unwrap();
    assert_eq!(choose(&env, Some(&plain), REGISTRY), "pod env");
    assert_eq!(choose(&env, Some(&plain), "public.ecr.aws"), "pod env");
}

#[test]
fn the_node_takes_a_role_from_the_accounts_map_only() {
    let by_account = format!("--role=111122223333={}", arn("account"));
    let by_option = format!("--role-arn={}", arn("option"));
    let roles = roles(&[&by_account, &by_option], &[]).unwrap();
    assert_eq!(choose(&roles, None, REGISTRY), "node account");
    assert_eq!(choose(&roles, None, "999999999999.dkr.ecr.us-west-2.amazonaws.com"), "node");
    assert_eq!(choose(&roles, None, "public.ecr.aws"), "node");
}

#[test]
fn a_pod_becomes_the_node_only_where_the_operator_said_so() {
    let plain = account(&[("eks.amazonaws.com/role-arn", &arn("irsa"))]);
    for (args, identity) in [
        (&[][..], "Identity: no role is named for `system:serviceaccount:shop:web`"),
        (
            &["--without-role=refuse"],
            "Identity: no role is named for `system:serviceaccount:shop:web`",
        ),
        (&["--without-role=node"], "node"),
        (&["--role-annotation=eks.amazonaws.com/role-arn"], "pod irsa"),
        (
            &[
                "--role-annotation=eks.amazonaws.com/ecr-role-arn",
                "--role-annotation=eks.amazonaws.com/role-arn",
            ],
            "pod irsa",
        ),
    ] {
        assert_eq!(
            choose(&roles(args, &[]).unwrap(), Some(&plain), REGISTRY),
            identity,
            "{args:?}"
        );
    }
    // A role that is named wrongly is never ignored.
    let broken = account(&[(ANNOTATION, "")]);
    let lenient = roles(&["--without-role=node"], &[]).unwrap();
    assert_eq!(
        choose(&lenient, Some(&broken), REGISTRY),
        "Identity: annotation `eks.amazonaws.com/ecr-role-arn` is empty"
    );
}

#[test]
fn what_is_no_role_is_refused_before_anything_is_asked() {
    for wrong in [
        "pull",
        "arn:aws:iam::111122223333:user/pull",
        "arn:aws:iam::1111:role/pull",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam:us-west-2:111122223333:role/pull",
        "arn::iam::111122223333:role/pull",
        "arn:aws:iam::111122223333:role/pull *",
        "https://evil.example/role",
    ] {
        let annotated = account(&[(ANNOTATION, wrong)]);
        let error = choose(&roles(&[], &[]).unwrap(), Some(&annotated), REGISTRY);
        assert!(error.starts_with("Identity: "), "{wrong}: {error}");
        let error = roles(&["--role-arn", wrong], &[]).err().map(|error| error.kind());
        assert_eq!(error, Some(ErrorKind::Config), "{wrong}");
    }
    for args in [
        &["--role=pull"][..],
        &["--role=1111=arn:aws:iam::111122223333:role/pull"],
        &["--without-role=anything"],
        &[
            "--role=111122223333=arn:aws:iam::111122223333:role/a",
            "--role=111122223333=arn:aws:iam::111122223333:role/b",
        ],
    ] {
        assert!(roles(args, &[]).is_err(), "{args:?}");
    }
    let gov = account(&[(ANNOTATION, "arn:aws-us-gov:iam::111122223333:role/pull")]);
    assert_eq!(
        choose(&roles(&[], &[]).unwrap(), Some(&gov), REGISTRY),
        "Identity: the role is in partition `aws-us-gov`, and ECR in `us-west-2` is in `aws`"
    );
}
