//! Errors in the form of each service: `__type` and message for JSON 1.1, XML for the query
//! protocol, plain text or a page elsewhere.

use serde_json::json;

use super::endpoint::Service;

/// The XML namespace of STS.
pub(super) const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AwsError {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

impl AwsError {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// IAM says no.
    pub(super) fn access_denied(service: Service, principal: &str, action: &str) -> Self {
        let message = format!(
            "User: {principal} is not authorized to perform: {action} on resource: * \
             because no identity-based policy allows the {action} action"
        );
        match service {
            Service::Sts => Self::new(403, "AccessDenied", message),
            _ => Self::new(400, "AccessDeniedException", message),
        }
    }

    /// The content type and the body; XML names the request.
    pub(super) fn render(&self, service: Service, request_id: &str) -> (&'static str, String) {
        let Self { status, code, message } = self;
        match service {
            Service::Ecr | Service::EcrPublic => {
                // IAM's denials come from elsewhere than the other errors, and it shows.
                let denied = code == "AccessDeniedException";
                let field = if denied { "Message" } else { "message" };
                ("application/x-amz-json-1.1", json!({"__type": code, field: message}).to_string())
            }
            Service::Sts => {
                let fault = if *status < 500 { "Sender" } else { "Receiver" };
                let message = xml_text(message);
                let body = format!(
                    "<ErrorResponse xmlns=\"{STS_NAMESPACE}\">\n  <Error>\n    \
                     <Type>{fault}</Type>\n    <Code>{code}</Code>\n    \
                     <Message>{message}</Message>\n  </Error>\n  \
                     <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
                );
                ("text/xml", body)
            }
            Service::Imds => {
                let page = format!(
                    "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html>\n <head>\n  \
                     <title>{status}</title>\n </head>\n <body>\n  <h1>{status}</h1>\n </body>\n\
                     </html>\n"
                );
                ("text/html", page)
            }
            Service::Container => ("text/plain; charset=utf-8", format!("{message}\n")),
        }
    }
}

/// Text between tags.
pub(super) fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
