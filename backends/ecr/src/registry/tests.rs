use super::*;

fn read(host: &str) -> Option<Registry> {
    Registry::from_host(host)
}

fn private(host: &str) -> Private {
    match read(host) {
        Some(Registry::Private(private)) => private,
        other => panic!("{host}: {other:?}"),
    }
}

/// The hosts that the Go plugin's tests accept, with the meaning of their parts.
#[test]
fn hosts_tell_region_partition_and_kind() {
    for (host, region, partition, fips, dual_stack) in [
        ("123456789123.dkr.ecr.us-west-2.amazonaws.com", "us-west-2", "aws", false, false),
        ("123456789123.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn", false, false),
        (
            "123456789123.dkr.ecr.us-gov-east-1.amazonaws.com",
            "us-gov-east-1",
            "aws-us-gov",
            false,
            false,
        ),
        ("123456789123.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "aws-iso", false, false),
        (
            "123456789123.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            "eusc-de-east-1",
            "aws-eusc",
            false,
            false,
        ),
        ("123456789123.dkr-ecr.us-west-2.on.aws", "us-west-2", "aws", false, true),
        ("123456789123.dkr-ecr-fips.us-west-2.on.aws", "us-west-2", "aws", true, true),
        (
            "123456789123.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            "cn-north-1",
            "aws-cn",
            false,
            true,
        ),
        ("123456789123.dkr-ecr.us-gov-east-1.on.aws", "us-gov-east-1", "aws-us-gov", false, true),
        (
            "123456789123.dkr-ecr-fips.us-gov-east-1.on.aws",
            "us-gov-east-1",
            "aws-us-gov",
            true,
            true,
        ),
        ("123456789012.dkr.ecr.lala-land-1.amazonaws.com", "lala-land-1", "aws", false, false),
        ("123456789012.dkr.ecr-fips.lala-land-1.amazonaws.com", "lala-land-1", "aws", true, false),
        (
            "123456789012.dkr.ecr.lala-land-1.amazonaws.com.cn",
            "lala-land-1",
            "aws-cn",
            false,
            false,
        ),
        (
            "123456789012.dkr.ecr-fips.eusc-de-east-1.amazonaws.eu",
            "eusc-de-east-1",
            "aws-eusc",
            true,
            false,
        ),
        (
            "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
            "us-isob-east-1",
            "aws-iso-b",
            false,
            false,
        ),
        (
            "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
            "eu-isoe-west-1",
            "aws-iso-e",
            false,
            false,
        ),
        (
            "123456789012.dkr.ecr.us-isof-east-1.csp.hci.ic.gov",
            "us-isof-east-1",
            "aws-iso-f",
            false,
            false,
        ),
        ("123456789012.dkr-ecr.lala-land-1.on.aws", "lala-land-1", "aws", false, true),
        ("123456789012.dkr-ecr-fips.lala-land-1.on.aws", "lala-land-1", "aws", true, true),
        (
            "123456789012.dkr-ecr.lala-land-1.on.amazonwebservices.com.cn",
            "lala-land-1",
            "aws-cn",
            false,
            true,
        ),
    ] {
        let registry = private(host);
        assert_eq!(
            (&*registry.region, registry.partition.id, registry.fips, registry.dual_stack),
            (region, partition, fips, dual_stack),
            "{host}"
        );
        assert_eq!(registry.account.as_deref(), host.get(..12), "{host}");
    }
}

#[test]
fn ecr_public_has_two_names() {
    assert_eq!(read("public.ecr.aws"), Some(Registry::Public { dual_stack: false }));
    assert_eq!(read("ecr-public.aws.com"), Some(Registry::Public { dual_stack: true }));
}

/// The first part is the Go plugin's list; the second the Docker credential helper's; the
/// third is what the Go plugin's one pattern accepts because it reads the parts
/// separately.
#[test]
fn nothing_else_is_amazons() {
    for host in [
        "1234567890123.dkr.ecr.lala-land-1.amazonaws.com",
        "12345678901.dkr.ecr.lala-land-1.amazonaws.com",
        "12345678901a.dkr.ecr.lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr.lala-land-1!.amazonaws.com",
        "123456789012.dkr.ecr.#lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr.lala-land-1.amazonaws.hacker.com",
        "123456789012.dkr.ecr.lala-land-1.hacker.com",
        "123456789012.dkr.ecr.lala-land-1.amazonaws.lol",
        "123456789012.dog.ecr.lala-land-1.amazonaws.com",
        "123456789012.dkr.cat.lala-land-1.amazonaws.com",
        "123456789012.dkr.cat.lala-land-1.awsamazon.com",
        "123456789012.lala-land-1.amazonaws.com",
        "123456789012.dkr.ecr.us-iso-east-1.amazonaws.gov",
        "foobar",
        "",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com.fake.example.com",
        "public.ecr.aws.fake.example.com",
        "123456789012.dkr.ecr.cn-north-1.on.aws.com.cn",
        ".dkr.ecr.not-real.amazonaws.com",
        "not.ecr.io",
        "fake.public.ecr.aws",
        "ecr-public.aws.com.fake.example.com",
        "123456789012.dkr-ecr.us-west-2.amazonaws.com",
        "123456789012.dkr.ecr.us-west-2.on.aws",
        "210987654321.dkr.ecr.cn-north-1.on.amazonwebservices.com.cn",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com",
        "123456789012.dkr.ecr.us-gov-west-1.amazonaws.eu",
        "123456789012.dkr.ecr.us-west-2.c2s.ic.gov.example",
        "123456789012.dkr.ecr.us.west.2.amazonaws.com",
        "123456789012.dkr.ecr..amazonaws.com",
        "123456789012.dkr.ecr-fipsy.us-west-2.amazonaws.com",
        "x.123456789012.dkr.ecr.us-west-2.amazonaws.com",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com.",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com:443",
    ] {
        assert_eq!(read(host), None, "{host}");
    }
}
