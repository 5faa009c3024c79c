//! The kubelet's messages about configurations: a row per message, and per version
//! where it is worded otherwise. The count is printed.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and counts what it did"
)]

use std::path::Path;

use pullpass_kubelet::{Config, KubeletVersion, Target};

const GATE: &str = "KubeletServiceAccountTokenForCredentialProviders=true";
const V1: &str = "credentialprovider.kubelet.k8s.io/v1";

/// A provider with everything it needs, and `more` lines, indented by two.
fn provider(name: &str, more: &str) -> String {
    format!(
        "- name: {name}\n  matchImages: [r.io]\n  defaultCacheDuration: 1h\n  apiVersion: {V1}\n{more}"
    )
}

fn config(providers: &str) -> String {
    format!(
        "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n{providers}"
    )
}

fn tokens(more: &str) -> String {
    config(&provider("p", &format!("  tokenAttributes:\n{more}")))
}

const TOKENS: &str = "    serviceAccountTokenAudience: a\n    requireServiceAccount: true\n";
const TOKENS_134: &str =
    "    serviceAccountTokenAudience: a\n    requireServiceAccount: true\n    cacheType: Token\n";

fn target(minor: u8) -> Target {
    let version = KubeletVersion::new(minor).expect("a known version");
    Target { version, gates: GATE.parse().expect("a gate") }
}

fn verdict(text: &str, target: &Target) -> String {
    match Config::parse("/c.yaml", text.as_bytes(), target) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => {
            assert!(!error.findings.is_empty(), "{error}");
            for finding in &error.findings {
                // All but an empty list of providers has a place.
                assert!(
                    finding.location.is_some() || finding.message.starts_with("providers: "),
                    "{finding:?}"
                );
            }
            error.message
        }
    }
}

/// What the kubelets from `first` to `last` say about `text`.
struct Row {
    versions: (u8, u8),
    text: String,
    message: String,
}

fn row(first: u8, last: u8, text: String, message: &str) -> Row {
    Row { versions: (first, last), text, message: message.to_owned() }
}

fn invalid(first: u8, last: u8, text: String, fault: &str) -> Row {
    row(first, last, text, &format!("failed to validate credential provider config: {fault}"))
}

/// From 1.34 the file is quoted.
fn undecodable(first: u8, last: u8, text: String, fault: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    if first <= 33 {
        let message = format!("error decoding config /c.yaml: {fault}");
        rows.push(row(first, last.min(33), text.clone(), &message));
    }
    if last >= 34 {
        let message = format!("error decoding config \"/c.yaml\": {fault}");
        rows.push(row(first.max(34), last, text, &message));
    }
    rows
}

fn decoding_rows() -> Vec<Row> {
    let scheme = |minor| match minor {
        ..=32 => 58,
        33 => 66,
        _ => 69,
    };
    let mut rows = Vec::new();
    for (first, last) in [(30, 32), (33, 33), (34, 37)] {
        let scheme =
            format!("in scheme \"pkg/credentialprovider/plugin/plugin.go:{}\"", scheme(first));
        for (text, fault) in [
            (
                "kind: WrongKind\napiVersion: kubelet.config.k8s.io/v1\n".to_owned(),
                format!(
                    "no kind \"WrongKind\" is registered for version \"kubelet.config.k8s.io/v1\" {scheme}"
                ),
            ),
            (
                "kind: CredentialProviderConfig\napiVersion: foobar/v1alpha1\n".to_owned(),
                format!(
                    "no kind \"CredentialProviderConfig\" is registered for version \"foobar/v1alpha1\" {scheme}"
                ),
            ),
        ] {
            rows.extend(undecodable(first, last, text, &fault));
        }
    }
    let unknown = config(&provider("p", "  unknownField: 1\n"));
    rows.push(row(30, 31, unknown.clone(), "accepted"));
    rows.extend(undecodable(
        32,
        37,
        unknown,
        "strict decoding error: unknown field \"providers[0].unknownField\"",
    ));
    rows.extend(undecodable(
        32,
        37,
        config(&provider("p", "  zeta: 1\n  Name: x\n")) + "extra: 1\n",
        "strict decoding error: unknown field \"extra\", unknown field \"providers[0].Name\", \
         unknown field \"providers[0].zeta\"",
    ));
    rows.extend(undecodable(
        32,
        37,
        config(&provider("p", "  name: q\n")),
        "strict decoding error: yaml: unmarshal errors:\n  line 8: key \"name\" already set in map",
    ));
    rows.extend(undecodable(
        32,
        37,
        format!(
            "{{\"kind\":\"CredentialProviderConfig\",\"apiVersion\":\"kubelet.config.k8s.io/v1\",\
             \"providers\":[{{\"name\":\"p\",\"name\":\"q\",\"matchImages\":[\"r.io\"],\
             \"defaultCacheDuration\":\"1h\",\"apiVersion\":\"{V1}\",\"b\":1,\"a\":1}}]}}"
        ),
        "strict decoding error: duplicate field \"providers[0].name\", unknown field \
         \"providers[0].b\", unknown field \"providers[0].a\"",
    ));
    rows.extend(undecodable(
        30,
        37,
        config(&provider("[x]", "")),
        "json: cannot unmarshal array into Go struct field CredentialProvider.providers.name of type string",
    ));
    rows.extend(undecodable(
        30,
        37,
        config(&provider("p", "  args: x\n")),
        "json: cannot unmarshal string into Go struct field CredentialProvider.providers.args of type []string",
    ));
    rows.extend(undecodable(
        30,
        37,
        config("  p: 1\n"),
        "json: cannot unmarshal object into Go struct field CredentialProviderConfig.providers of type []v1.CredentialProvider",
    ));
    rows.extend(undecodable(
        30,
        37,
        config(&provider("p", "")).replace("1h", "3600"),
        "json: cannot unmarshal number into Go struct field CredentialProvider.providers.defaultCacheDuration of type string",
    ));
    rows.extend(undecodable(
        30,
        37,
        config(&provider("p", "")).replace("1h", "1d"),
        "time: unknown unit \"d\" in duration \"1d\"",
    ));
    rows.extend(undecodable(
        30,
        37,
        "- a\n".to_owned(),
        "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value of \
         type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
         \"json:\\\"kind,omitempty\\\"\" }",
    ));
    rows.extend(undecodable(
        30,
        37,
        "{\"a\": }".to_owned(),
        "couldn't get version/kind; json parse error: invalid character '}' looking for beginning of value",
    ));
    rows.extend(undecodable(30, 37, "a: 1\n".to_owned(), "Object 'Kind' is missing in '...'"));
    rows.extend(undecodable(
        30,
        37,
        "kind: X\n".to_owned(),
        "Object 'apiVersion' is missing in '...'",
    ));
    rows.extend(undecodable(
        30,
        37,
        "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n".to_owned(),
        "failed to decode \"KubeletConfiguration\" (wrong Kind)",
    ));
    // Fields that came later.
    rows.push(row(30, 31, tokens(TOKENS), "accepted"));
    rows.extend(undecodable(
        32,
        32,
        tokens(TOKENS),
        "strict decoding error: unknown field \"providers[0].tokenAttributes\"",
    ));
    rows.extend(undecodable(
        33,
        33,
        tokens(TOKENS_134),
        "strict decoding error: unknown field \"providers[0].tokenAttributes.cacheType\"",
    ));
    rows.push(row(33, 33, tokens(TOKENS), "accepted"));
    rows.push(row(34, 37, tokens(TOKENS_134), "accepted"));
    for older in ["v1beta1", "v1alpha1"] {
        let plain =
            config(&provider("p", "")).replace("k8s.io/v1\nprov", &format!("k8s.io/{older}\nprov"));
        rows.push(row(30, 37, plain, "accepted"));
        rows.extend(undecodable(
            32,
            37,
            tokens(TOKENS).replace("k8s.io/v1\nprov", &format!("k8s.io/{older}\nprov")),
            "strict decoding error: unknown field \"providers[0].tokenAttributes\"",
        ));
    }
    rows
}

fn validation_rows() -> Vec<Row> {
    let plain = |from: &str, to: &str| config(&provider("p", "")).replace(from, to);
    let exec = "\"credentialprovider.kubelet.k8s.io/v1\", \"credentialprovider.kubelet.k8s.io/v1alpha1\", \
         \"credentialprovider.kubelet.k8s.io/v1beta1\"";
    let audience = "providers.tokenAttributes.serviceAccountTokenAudience: Required value";
    let required = "providers.tokenAttributes.requireServiceAccount: Required value";
    let keys = "providers.tokenAttributes.requiredServiceAccountAnnotationKeys";
    let form = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with \
         an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
         validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let with_keys = |base: &str, list: &str, keys: &str| {
        tokens(&format!("{base}    {list}ServiceAccountAnnotationKeys: [{keys}]\n"))
    };
    let none =
        "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders: []\n";
    let mut rows = vec![
        row(30, 37, config(&provider("p", "")), "accepted"),
        invalid(
            30,
            37,
            none.to_owned(),
            "providers: Required value: at least 1 item in plugins is required",
        ),
        invalid(
            30,
            37,
            plain("name: p", "name: foo/../bar"),
            "providers.name: Invalid value: \"foo/../bar\": provider name cannot contain '/'",
        ),
        invalid(
            30,
            37,
            plain("name: p", "name: foo bar"),
            "providers.name: Invalid value: \"foo bar\": provider name cannot contain spaces",
        ),
        invalid(
            30,
            37,
            plain("name: p", "name: ."),
            "providers.name: Invalid value: \".\": provider name cannot be '.'",
        ),
        invalid(
            30,
            37,
            plain("name: p", "name: .."),
            "providers.name: Invalid value: \"..\": provider name cannot be '..'",
        ),
        invalid(
            30,
            33,
            plain(&format!("apiVersion: {V1}\n"), "args: []\n"),
            "providers.apiVersion: Required value: apiVersion is required",
        ),
        invalid(
            34,
            37,
            plain(&format!("apiVersion: {V1}\n"), "args: []\n"),
            "providers.apiVersion: Required value",
        ),
        invalid(
            30,
            37,
            plain(V1, "x/v1"),
            &format!("providers.apiVersion: Unsupported value: \"x/v1\": supported values: {exec}"),
        ),
        invalid(
            30,
            37,
            plain("[r.io]", "[]"),
            "providers.matchImages: Required value: at least 1 item in matchImages is required",
        ),
        invalid(
            30,
            37,
            plain("[r.io]", "['%invalid%']"),
            "providers.matchImages: Invalid value: \"%invalid%\": match image is invalid: parse \"https://%invalid%\": invalid URL escape \"%in\"",
        ),
        invalid(
            30,
            33,
            plain("  defaultCacheDuration: 1h\n", ""),
            "providers.defaultCacheDuration: Required value: defaultCacheDuration is required",
        ),
        invalid(
            34,
            37,
            plain("  defaultCacheDuration: 1h\n", ""),
            "providers.defaultCacheDuration: Required value",
        ),
        invalid(
            30,
            33,
            plain("1h", "-1m"),
            "providers.defaultCacheDuration: Invalid value: -1m0s: defaultCacheDuration must be greater than or equal to 0",
        ),
        invalid(
            34,
            37,
            plain("1h", "-1m"),
            "providers.defaultCacheDuration: Invalid value: \"-1m0s\": must be greater than or equal to 0",
        ),
        invalid(
            30,
            33,
            plain("1h", "-1m").replace("[r.io]", "['%', '%']"),
            "[providers.matchImages: Invalid value: \"%\": match image is invalid: parse \"https://%\": invalid URL escape \"%\", providers.defaultCacheDuration: Invalid value: -1m0s: defaultCacheDuration must be greater than or equal to 0]",
        ),
        invalid(
            33,
            33,
            tokens("    requireServiceAccount: true\n"),
            &format!("{audience}: serviceAccountTokenAudience is required"),
        ),
        invalid(
            34,
            37,
            tokens("    requireServiceAccount: true\n    cacheType: Token\n"),
            audience,
        ),
        invalid(
            33,
            33,
            tokens("    serviceAccountTokenAudience: a\n"),
            &format!("{required}: requireServiceAccount is required"),
        ),
        invalid(
            34,
            37,
            tokens("    serviceAccountTokenAudience: a\n    cacheType: Token\n"),
            required,
        ),
        invalid(
            34,
            37,
            tokens(TOKENS),
            "providers.tokenAttributes.cacheType: Required value: cacheType is required to be set when tokenAttributes is specified. Supported values are: ServiceAccount, Token",
        ),
        invalid(
            34,
            37,
            tokens(TOKENS_134).replace("Token\n", "X\n"),
            "providers.tokenAttributes.cacheType: Unsupported value: \"X\": supported values: \"ServiceAccount\", \"Token\"",
        ),
    ];
    let colons = plain("[r.io]", "['r.io:80:80']");
    rows.push(row(30, 35, colons.clone(), "accepted"));
    rows.push(invalid(36, 37, colons, "providers.matchImages: Invalid value: \"r.io:80:80\": match image is invalid: parse \"https://r.io:80:80\": invalid port \":80:80\" after host"));
    // Where the wording follows the version only through `cacheType` being there.
    for (first, last, base) in [(33, 33, TOKENS), (34, 37, TOKENS_134)] {
        rows.push(invalid(
            first,
            last,
            tokens(base).replace(&format!("  apiVersion: {V1}"), &format!("  apiVersion: {V1}beta1")),
            "providers.tokenAttributes: Forbidden: tokenAttributes is only supported for credentialprovider.kubelet.k8s.io/v1 API version",
        ));
        rows.push(invalid(
            first,
            last,
            with_keys(base, "required", "a").replace("true", "false"),
            &format!("{keys}: Forbidden: requireServiceAccount cannot be false when requiredServiceAccountAnnotationKeys is set"),
        ));
        rows.push(row(first, last, with_keys(base, "required", "A.b/C"), "accepted"));
        for list in ["required", "optional"] {
            let keys = format!("providers.tokenAttributes.{list}ServiceAccountAnnotationKeys");
            rows.push(invalid(
                first,
                last,
                with_keys(base, list, "cantendwithadash-"),
                &format!("{keys}: Invalid value: \"cantendwithadash-\": name part {form}"),
            ));
            rows.push(invalid(
                first,
                last,
                with_keys(base, list, "K, K"),
                &format!("{keys}: Duplicate value: \"K\""),
            ));
        }
        rows.push(invalid(
            first,
            last,
            with_keys(base, "required", "/x"),
            &format!("{keys}: Invalid value: \"/x\": prefix part must be non-empty"),
        ));
    }
    let both = |base: &str| {
        with_keys(base, "required", "b, a") + "    optionalServiceAccountAnnotationKeys: [a, b]\n"
    };
    let words = "annotation keys cannot be both required and optional";
    rows.push(invalid(
        33,
        33,
        both(TOKENS),
        &format!("providers.tokenAttributes: Invalid value: []string{{\"a\", \"b\"}}: {words}"),
    ));
    rows.push(invalid(
        34,
        37,
        both(TOKENS_134),
        &format!("providers.tokenAttributes: Invalid value: [\"a\",\"b\"]: {words}"),
    ));
    let long = "x".repeat(64);
    let several = with_keys(TOKENS_134, "required", "a/b/c");
    rows.push(invalid(
        33,
        33,
        with_keys(TOKENS, "required", &long),
        &format!("{keys}: Invalid value: \"{long}\": name part must be no more than 63 characters"),
    ));
    rows.push(invalid(
        34,
        34,
        with_keys(TOKENS_134, "required", &long),
        &format!("{keys}: Invalid value: \"{long}\": name part must be no more than 63 characters"),
    ));
    rows.push(invalid(
        35,
        37,
        with_keys(TOKENS_134, "required", &long),
        &format!("{keys}: Invalid value: \"{long}\": name part must be no more than 63 bytes"),
    ));
    for (first, last, what) in [(34, 34, "a qualified name"), (35, 37, "a valid label key")] {
        rows.push(invalid(first, last, several.clone(), &format!("{keys}: Invalid value: \"a/b/c\": {what} {form} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')")));
    }
    let twice = config(&(provider("same", "") + &provider("same", "")));
    rows.push(row(30, 32, twice.clone(), "Credential provider \"same\" was registered twice"));
    rows.push(invalid(33, 33, twice.clone(), "providers.name: Duplicate value: \"same\""));
    rows.push(row(
        34,
        37,
        twice,
        "duplicate provider name \"same\" found in configuration file(s)",
    ));
    rows
}

#[test]
fn every_row_in_every_version() {
    let rows: Vec<Row> = decoding_rows().into_iter().chain(validation_rows()).collect();
    let mut checked = 0;
    for row in &rows {
        for minor in row.versions.0..=row.versions.1 {
            assert_eq!(verdict(&row.text, &target(minor)), row.message, "1.{minor}:\n{}", row.text);
            checked += 1;
        }
    }
    println!("{} messages, {checked} of them with their versions", rows.len());
    assert!(rows.len() >= 80 && checked >= 300, "{} {checked}", rows.len());
}

#[test]
fn the_gate_is_off_where_it_is_off() {
    let message = "failed to validate credential provider config: providers.tokenAttributes: Forbidden: \
         tokenAttributes is not supported when KubeletServiceAccountTokenForCredentialProviders \
         feature gate is disabled";
    let mut off = Target::new(KubeletVersion::new(33).expect("known"));
    assert_eq!(verdict(&tokens(TOKENS), &off), message);
    off.version = KubeletVersion::new(34).expect("known");
    assert_eq!(verdict(&tokens(TOKENS_134), &off), "accepted");
    off.gates.set("KubeletServiceAccountTokenForCredentialProviders", false);
    assert_eq!(verdict(&tokens(TOKENS_134), &off), message);
}

#[test]
fn reading() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let load = |path: &Path, minor| Config::load(path, &target(minor)).err().map(|e| e.message);
    std::fs::create_dir(at("empty")).expect("a folder");
    std::fs::create_dir_all(at("d/sub.yaml")).expect("a folder");
    std::fs::write(at("d/b.yaml"), config(&provider("b", ""))).expect("a file");
    std::fs::write(at("d/.a.json"), config(&provider("a", ""))).expect("a file");
    std::fs::write(at("d/c.yaml.bak"), "nonsense").expect("a file");
    std::fs::write(at("d/c.YAML"), "nonsense").expect("a file");
    let (missing, empty, folder_path) = (at("none"), at("empty"), at("d"));
    let shown = |path: &Path| path.display().to_string();

    assert_eq!(
        load(Path::new(""), 34).as_deref(),
        Some("credential provider config path is empty")
    );
    assert_eq!(
        load(Path::new(""), 33).as_deref(),
        Some("credential provider config path is empty")
    );
    let no_file = "no such file or directory";
    assert_eq!(
        load(&missing, 34),
        Some(format!("unable to access path \"{0}\": stat {0}: {no_file}", shown(&missing)))
    );
    let before = "unable to read external registry credential provider configuration from";
    assert_eq!(
        load(&missing, 33),
        Some(format!("{before} \"{0}\": open {0}: {no_file}", shown(&missing)))
    );
    assert_eq!(
        load(&folder_path, 33),
        Some(format!("{before} \"{0}\": read {0}: is a directory", shown(&folder_path)))
    );
    assert_eq!(
        load(&empty, 34),
        Some(format!("no configuration files found in directory \"{}\"", shown(&empty)))
    );
    let config = Config::load(&folder_path, &target(34)).expect("two good files");
    let names: Vec<&str> = config.providers.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(config.hash.starts_with("sha256:") && config.hash.len() == 71, "{}", config.hash);

    std::os::unix::fs::symlink("nowhere", at("d/z.yml")).expect("a link");
    let link = at("d/z.yml");
    assert_eq!(
        load(&folder_path, 34),
        Some(format!("unable to read file \"{0}\": open {0}: {no_file}", shown(&link)))
    );
    std::fs::remove_file(&link).expect("removed");
    std::fs::copy(at("d/b.yaml"), at("d/z.yml")).expect("copied");
    let error = Config::load(&folder_path, &target(34)).expect_err("the same name twice");
    assert_eq!(error.message, "duplicate provider name \"b\" found in configuration file(s)");
    let place = error.findings[0].location.as_ref().expect("a place");
    assert_eq!((place.source().path(), place.line(), place.column()), (link.as_path(), 4, 9));
}

#[test]
fn faults_after_the_first_kind_are_told_apart() {
    let text = config(&provider("p", "  extra: 1\n")).replace("[r.io]", "['%']");
    let error = Config::parse("c", text.as_bytes(), &target(34)).expect_err("two faults");
    assert_eq!(error.findings.len(), 1);
    assert_eq!(error.further.len(), 1);
    assert!(error.further[0].message.contains("match image is invalid"), "{error:?}");
    assert!(error.verbatim);
}
