//! Each fault is what it says: a table of faults that all look alike proves nothing.

use super::*;
use crate::tls::{TestCa, plain_client};

async fn status(server: &FaultServer) -> Option<u16> {
    let response = plain_client().post(server.url()).body("x=1").send().await;
    response.ok().map(|response| response.status().as_u16())
}

#[tokio::test]
async fn whole_answers_come_in_order_and_requests_are_kept() {
    let faults = vec![Fault::status(500), Fault::retry_after_date(1), Fault::json(200, "{}")];
    let server = Fault::Sequence(faults).start();
    for expected in [500, 429, 200, 200] {
        assert_eq!(status(&server).await, Some(expected));
    }
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[0].head.starts_with("POST / HTTP/1.1"));
    assert_eq!(requests[0].body, "x=1");
}

#[tokio::test]
async fn broken_answers_are_broken() {
    assert_eq!(status(&Fault::Refused.start()).await, None);
    let hangup = Fault::Hangup.start();
    assert_eq!(status(&hangup).await, None);
    assert!(!hangup.requests().is_empty());
    let cut = Fault::CutBody.start();
    let response = plain_client().get(cut.url()).send().await.unwrap();
    assert!(response.bytes().await.is_err());
    let big = Fault::BigBody(10 << 20).start();
    let response = plain_client().get(big.url()).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap().len(), 10 << 20);
}

#[tokio::test]
async fn slow_silent_and_endless_answers_do_not_end() {
    let client = plain_client();
    for fault in [Fault::Silent, Fault::SlowBody, Fault::EndlessBody] {
        let server = fault.clone().start();
        let request = client.get(server.url()).timeout(Duration::from_millis(300));
        let whole = async { request.send().await?.bytes().await };
        assert!(whole.await.unwrap_err().is_timeout(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_right_for_its_ca_and_name_only() {
    let (ca, other) = (TestCa::new(), TestCa::new());
    let ask = async |server: FaultServer| {
        ca.client().get(server.url()).send().await.is_ok_and(|answer| answer.status() == 200)
    };
    let fine = || Fault::json(200, "{}");
    assert!(ask(fine().start_tls(ca.server_config(&["127.0.0.1"]))).await);
    assert!(!ask(fine().start_tls(other.server_config(&["127.0.0.1"]))).await);
    assert!(!ask(fine().start_tls(ca.server_config(&["wrong.example"]))).await);
}
