//! Which calls go through a proxy, and that its password stays inside.

use pullpass_tests::fakes::faults::{Fault, FaultServer};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::PluginRun;
use serde_json::{Value, json};

use crate::profile::{AUDIENCE, ProfileFile, request};

const PROXY_PASSWORD: &str = "the-password-of-the-proxy";
/// No name server knows it: only a proxy could reach it.
const ENDPOINT: &str = "https://sts.invalid/token";

fn exchange(endpoint: &str, http: Value, env: &[(&str, &str)]) -> PluginRun {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let section = json!({"type": "tokenExchange", "endpoint": endpoint});
    let mut settings = json!({"retries": 0, "timeout": "1s", "allowLoopbackHttp": true});
    settings.as_object_mut().unwrap().extend(http.as_object().unwrap().clone());
    let file = ProfileFile::new("reg.example", section, json!({"http": settings}));
    let plugin = file.plugin(&token).secret("the proxy's password", PROXY_PASSWORD);
    let plugin = env.iter().fold(plugin, |plugin, (name, value)| plugin.env(name, *value));
    plugin.run(&request("reg.example/a", &token))
}

/// The hosts that clients asked this proxy for.
fn asked(proxy: &FaultServer) -> Vec<String> {
    let heads = proxy.requests().into_iter().map(|seen| seen.head);
    heads.filter_map(|head| head.split(' ').nth(1).map(str::to_owned)).collect()
}

fn with_password(proxy: &FaultServer) -> String {
    proxy.url().replace("http://", &format!("http://me:{PROXY_PASSWORD}@"))
}

#[test]
fn the_proxy_of_the_environment_is_asked_and_its_refusal_reported() {
    let proxy = Fault::status(407).start();
    let run = exchange(ENDPOINT, json!({}), &[("HTTPS_PROXY", &with_password(&proxy))]);
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert_eq!(asked(&proxy), ["sts.invalid:443"]);
    let head = &proxy.requests()[0].head;
    assert!(head.to_lowercase().contains("proxy-authorization: basic "), "{head}");
    assert!(run.stderr.contains("proxy"), "{}", run.stderr);
}

#[test]
fn no_proxy_and_the_profile_keep_calls_away_from_it() {
    for (http, no_proxy) in
        [(json!({}), "sts.invalid"), (json!({}), ".invalid"), (json!({"proxy": "none"}), "")]
    {
        let proxy = Fault::status(407).start();
        let run =
            exchange(ENDPOINT, http, &[("HTTPS_PROXY", &proxy.url()), ("NO_PROXY", no_proxy)]);
        assert_eq!(run.code, Some(7), "{}", run.stderr);
        assert!(run.error().contains("sts.invalid"), "{}", run.stderr);
        assert!(asked(&proxy).is_empty(), "{no_proxy}");
    }
}

#[test]
fn the_proxy_of_the_profile_wins_and_loopback_needs_none() {
    let (ours, theirs) = (Fault::status(407).start(), Fault::status(407).start());
    exchange(ENDPOINT, json!({"proxy": ours.url()}), &[("HTTPS_PROXY", &theirs.url())]);
    assert_eq!((asked(&ours).len(), asked(&theirs).len()), (1, 0));

    let proxy = Fault::status(502).start();
    let endpoint = Fault::json(200, r#"{"access_token":"a-password"}"#).start();
    let url = format!("{}/token", endpoint.url());
    let run = exchange(&url, json!({}), &[("HTTP_PROXY", &proxy.url())]);
    assert_eq!(run.login().2, "a-password");
    assert!(asked(&proxy).is_empty());
}

#[test]
fn a_proxy_that_is_no_url_is_the_operators_to_fix() {
    for value in
        [format!("socks5://me:{PROXY_PASSWORD}@p:1"), format!("me:{PROXY_PASSWORD}@p:port")]
    {
        let run = exchange(ENDPOINT, json!({}), &[("HTTPS_PROXY", &value)]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.error().contains("`HTTPS_PROXY` is not a proxy URL"), "{}", run.stderr);
    }
}
