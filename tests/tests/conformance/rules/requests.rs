//! What the kubelet does not send is refused, and nothing is made up in its place.

use pullpass_tests::fixtures::checks::{IDENTITY, REQUEST};
use serde_json::{Value, json};

use super::Rule;
use crate::ground::Ground;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(an_empty_stdin_is_refused),
        Rule::of(what_is_not_one_json_object_is_refused),
        Rule::of(a_request_over_a_mebibyte_is_refused),
        Rule::of(another_kind_or_version_is_refused),
        Rule::of(a_field_that_is_missing_or_of_another_type_is_refused),
        Rule::of(an_image_that_is_not_one_is_refused),
        Rule::of(a_token_in_an_old_version_is_refused),
        Rule::of(a_token_that_is_null_or_empty_or_not_one_is_refused),
        Rule::of(a_field_in_another_case_is_refused),
        Rule::of(annotations_without_a_token_are_refused),
        Rule::of(an_expired_token_is_sent_to_no_server),
        Rule::of(fields_of_a_later_kubelet_are_passed_over),
    ]
}

fn an_empty_stdin_is_refused(ground: &Ground<'_>) {
    for stdin in [&b""[..], b"\n", b" \t\r\n "] {
        ground.refuses_bytes(stdin, REQUEST, "stdin is empty");
    }
}

fn what_is_not_one_json_object_is_refused(ground: &Ground<'_>) {
    let good = ground.request().to_string().into_bytes();
    let utf16: Vec<u8> =
        String::from_utf8_lossy(&good).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (stdin, says) in [
        (good[..good.len() / 2].to_vec(), "not valid JSON"),
        ([&good[..], &good].concat(), "trailing characters"),
        ([b"[", &good[..], b"]"].concat(), "is an array, not a JSON object"),
        (b"\"CredentialProviderRequest\"".to_vec(), "is a string, not a JSON object"),
        (b"kind: CredentialProviderRequest".to_vec(), "not valid JSON"),
        (vec![b'['; 100_000], "recursion limit"),
        ([b"{\"kind\":\"", &[0xff][..], b"\"}"].concat(), "not UTF-8 at byte 9"),
        (b"{\"kind\":\"a\",\"kind\":\"a\"}".to_vec(), "duplicate key"),
        (utf16, "is not"),
        ((0..=255).cycle().take(5000).collect(), "is not"),
    ] {
        ground.refuses_bytes(&stdin, REQUEST, says);
    }
}

fn a_request_over_a_mebibyte_is_refused(ground: &Ground<'_>) {
    let mut request = ground.request();
    request["padding"] = "x".repeat(1 << 20).into();
    ground.refuses_bytes(request.to_string().as_bytes(), REQUEST, "larger than 1048576 bytes");
    ground.refuses_bytes(&vec![b' '; 2 << 20], REQUEST, "larger than 1048576 bytes");
}

fn another_kind_or_version_is_refused(ground: &Ground<'_>) {
    for (field, value, says) in [
        ("kind", "ExecCredential", "`kind` is `ExecCredential`"),
        ("kind", "CredentialProviderResponse", "`kind` is `CredentialProviderResponse`"),
        ("apiVersion", "v1", "`v1` is not known"),
        ("apiVersion", "credentialprovider.kubelet.k8s.io/v2", "is not known"),
        ("apiVersion", "credentialprovider.kubelet.k8s.io/V1", "is not known"),
        ("apiVersion", "kubelet.config.k8s.io/v1", "is not known"),
    ] {
        refuses_field(ground, field, value.into(), says);
    }
}

fn a_field_that_is_missing_or_of_another_type_is_refused(ground: &Ground<'_>) {
    for field in ["kind", "apiVersion", "image"] {
        let mut request = ground.request();
        request.as_object_mut().unwrap().remove(field);
        let says = format!("the request has no `{field}`");
        ground.refuses_bytes(request.to_string().as_bytes(), REQUEST, &says);
        for value in [json!(null), json!(1), json!(["a"]), json!({"a": "b"}), json!(true)] {
            refuses_field(ground, field, value, &format!("`{field}`"));
        }
    }
    for value in [json!([]), json!("a=b"), json!({"a": 1}), json!({"a": null})] {
        refuses_field(ground, "serviceAccountAnnotations", value, "must be");
    }
}

fn an_image_that_is_not_one_is_refused(ground: &Ground<'_>) {
    let host = ground.registry;
    for image in [
        String::new(),
        format!("{host}/a b"),
        format!("{host}/a\nerror: all is lost"),
        format!("{host}/a\u{7}"),
        format!("{host}/../a"),
        format!("https://{host}/a"),
        format!("me:pass@{host}/a"),
        format!("{host}/{}", "a".repeat(100_000)),
    ] {
        refuses_field(ground, "image", image.into(), "image");
    }
}

fn a_token_in_an_old_version_is_refused(ground: &Ground<'_>) {
    for version in ["v1beta1", "v1alpha1"] {
        let mut request = ground.request();
        request["apiVersion"] = format!("credentialprovider.kubelet.k8s.io/{version}").into();
        ground.without_a_connection(|| {
            ground.refuses(&ground.plugin, &request, REQUEST, "is not part of");
        });
    }
}

/// To take such a token for none would answer a pod with the node's identity.
fn a_token_that_is_null_or_empty_or_not_one_is_refused(ground: &Ground<'_>) {
    let token = ground.token().build();
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    for value in [
        json!(null),
        json!(""),
        json!(" "),
        json!("not-a-jwt"),
        json!(unsigned),
        json!(format!("{unsigned}.")),
        json!({"token": token}),
        json!([token]),
        json!(0),
        json!(false),
    ] {
        let mut request = ground.request();
        request["serviceAccountToken"] = value;
        ground.without_a_connection(|| {
            ground.refuses(&ground.plugin, &request, REQUEST, "serviceAccountToken");
        });
    }
}

/// Go takes a name in any case; a plugin that passes one over sees no token.
fn a_field_in_another_case_is_refused(ground: &Ground<'_>) {
    for name in ["serviceaccounttoken", "ServiceAccountToken", "SERVICEACCOUNTTOKEN"] {
        for keep in [false, true] {
            let mut request = ground.request();
            let token = request["serviceAccountToken"].clone();
            let fields = request.as_object_mut().unwrap();
            if !keep {
                fields.remove("serviceAccountToken");
            }
            fields.insert(name.to_owned(), token);
            ground.without_a_connection(|| {
                ground.refuses_bytes(request.to_string().as_bytes(), REQUEST, "in the wrong case");
            });
        }
    }
    for (name, right) in [("Image", "image"), ("KIND", "kind"), ("apiversion", "apiVersion")] {
        let mut request = ground.request();
        let fields = request.as_object_mut().unwrap();
        let value = fields.remove(right).unwrap();
        fields.insert(name.to_owned(), value);
        ground.refuses_bytes(request.to_string().as_bytes(), REQUEST, "in the wrong case");
    }
}

fn annotations_without_a_token_are_refused(ground: &Ground<'_>) {
    let mut request = ground.request();
    request["serviceAccountAnnotations"] = json!({"a": "b"});
    request.as_object_mut().unwrap().remove("serviceAccountToken");
    ground.without_a_connection(|| {
        ground.refuses(&ground.plugin, &request, REQUEST, "without a `serviceAccountToken`");
    });
}

fn an_expired_token_is_sent_to_no_server(ground: &Ground<'_>) {
    let request = ground.request_with(ground.token().expired());
    ground.without_a_connection(|| {
        ground.refuses(&ground.plugin, &request, IDENTITY, "service account token expired 36");
    });
}

fn fields_of_a_later_kubelet_are_passed_over(ground: &Ground<'_>) {
    let mut request = ground.request();
    request["later"] = json!({"a": [1, null, true]});
    request["serviceAccountUID"] = json!("a");
    ground.run(&ground.plugin, &request).login();
}

fn refuses_field(ground: &Ground<'_>, name: &str, value: Value, says: &str) {
    let mut request = ground.request();
    request[name] = value;
    ground.refuses_bytes(request.to_string().as_bytes(), REQUEST, says);
}
