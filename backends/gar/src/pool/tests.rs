use super::*;

const NAME: &str = "projects/12/locations/global/workloadIdentityPools/edge/providers/k3s";

#[test]
fn a_provider_by_any_of_its_names() {
    for text in [
        NAME.to_owned(),
        format!("//iam.googleapis.com/{NAME}"),
        format!("https://iam.googleapis.com/{NAME}"),
    ] {
        let pool = Pool::self_managed(&text).unwrap();
        assert_eq!(pool.audience(), format!("//iam.googleapis.com/{NAME}"), "{text}");
    }
    for (text, why) in [
        (NAME.replace("12", "my-project"), "number"),
        (NAME.replace("12", ""), "number"),
        (NAME.replace("global", "us"), "resource name"),
        (NAME.replace("edge", ""), "no valid pool"),
        (NAME.replace("k3s", "k 3s"), "no valid pool"),
        (NAME.replace("/providers/k3s", ""), "resource name"),
        (format!("{NAME}/x"), "resource name"),
        (format!("//evil.example/{NAME}"), "resource name"),
        (format!("http://iam.googleapis.com/{NAME}"), "resource name"),
        (String::new(), "resource name"),
    ] {
        assert!(Pool::self_managed(&text).unwrap_err().contains(why), "{text}");
    }
}

#[test]
fn a_clusters_pool_is_of_the_project_whatever_the_issuers_project() {
    let issuer = "https://container.googleapis.com/v1/projects/other/locations/l/clusters/c";
    let pool = Pool::cluster("my-project", issuer).unwrap();
    let audience = format!("identitynamespace:my-project.svc.id.goog:{issuer}");
    assert_eq!(pool.audience(), audience);
    assert_eq!(Pool::of_audience(&audience), Ok(pool));
    let zonal = issuer.replace("/locations/", "/zones/");
    for (project, issuer) in [
        ("", issuer),
        ("123", issuer),
        ("p", &zonal),
        ("a:b", issuer),
        ("p", "http://x"),
        ("p", "https://"),
    ] {
        assert!(Pool::cluster(project, issuer).is_err(), "{project} {issuer}");
    }
    for audience in ["identitynamespace:p.svc.id.goog", "identitynamespace::https://x", "x"] {
        assert!(Pool::of_audience(audience).is_err(), "{audience}");
    }
}

#[test]
fn patterns_stand_for_one_part_each() {
    let pool = Pool::self_managed(NAME).unwrap();
    let matches = |pattern: &str| Pattern::parse(pattern).unwrap().matches(&pool);
    assert!(matches(NAME));
    assert!(matches(&NAME.replace("k3s", "*")));
    assert!(matches(&NAME.replace("edge", "*").replace("12", "*")));
    assert!(!matches(&NAME.replace("12", "13")));
    assert!(!matches(&NAME.replace("k3s", "k3")));
    for pattern in ["*", "projects/*", "", &NAME.replace("12", "a-project"), &format!("{NAME}/*")] {
        assert!(Pattern::parse(pattern).is_err(), "{pattern}");
    }
    let error = Pattern::parse("projects/u:hunter2pass@x").unwrap_err().render();
    assert!(!error.contains("hunter2pass") && error.contains("`--allow-provider`"), "{error}");
    assert!(matches(&format!("//iam.googleapis.com/{}", NAME.replace("k3s", "*"))));
}

#[test]
fn members_are_as_iam_writes_them() {
    let subject = "system:serviceaccount:shop:web";
    assert_eq!(
        Pool::self_managed(NAME).unwrap().member(subject, Some(("shop", "web"))),
        "principal://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/edge\
         /subject/system:serviceaccount:shop:web"
    );
    let cluster = Pool::cluster("p", "https://x").unwrap();
    assert!(
        cluster
            .member(subject, Some(("shop", "web")))
            .ends_with("/workloadIdentityPools/p.svc.id.goog/subject/ns/shop/sa/web")
    );
}
