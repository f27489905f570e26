//! Logs that no load tester wrote, known by their keys: of these neither unit nor kind of time stamp has to be guessed.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::aliases::Role;
use super::aliases::Unit::Stated;
use super::keys::lookup;

/// How one program writes its requests.
#[derive(Debug, PartialEq)]
pub struct Layout {
    /// Whose layout it is.
    pub name: &'static str,
    /// Keys that all must be there, whatever their values: a shape of lines has one layout.
    told_by: &'static [&'static str],
    /// Keys and what they mean; of several with one meaning the first that is there counts.
    pub keys: &'static [(&'static str, Role)],
    /// Whether the time stamp is of the request's end.
    pub stamp_is_end: bool,
    /// Whether the name is a target as the client sent it: the endpoint is its path, without the query.
    pub name_is_target: bool,
}

const SECONDS: Role = Role::Time(Stated(1e6));
const MILLISECONDS: Role = Role::Time(Stated(1e3));
const NANOSECONDS: Role = Role::Time(Stated(1e-3));

/// Every layout; the first that fits counts.
const LAYOUTS: &[Layout] = &[
    // https://caddyserver.com/docs/caddyfile/directives/log
    Layout {
        name: "Caddy",
        told_by: &["logger", "request.uri", "duration"],
        keys: &[
            ("ts", Role::Start),
            ("duration", SECONDS),
            ("status", Role::Status),
            ("request.method", Role::Method),
            ("request.uri", Role::Name),
            ("size", Role::Length),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://doc.traefik.io/traefik/observability/access-logs/
    Layout {
        name: "Traefik",
        told_by: &["DownstreamStatus", "RequestPath"],
        keys: &[
            ("StartUTC", Role::Start),
            ("StartLocal", Role::Start),
            ("Duration", NANOSECONDS),
            ("DownstreamStatus", Role::Status),
            ("RequestMethod", Role::Method),
            ("RequestPath", Role::Name),
            ("DownstreamContentSize", Role::Length),
        ],
        stamp_is_end: false,
        name_is_target: true,
    },
    // https://nginx.org/en/docs/http/ngx_http_log_module.html
    Layout {
        name: "nginx",
        told_by: &["request_time", "request_method"],
        keys: &[
            ("msec", Role::Start),
            ("time_iso8601", Role::Start),
            ("time_local", Role::Start),
            ("request_time", SECONDS),
            ("status", Role::Status),
            ("request_method", Role::Method),
            ("uri", Role::Name),
            ("request_uri", Role::Name),
            ("body_bytes_sent", Role::Length),
            ("bytes_sent", Role::Length),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
    Layout {
        name: "Envoy",
        told_by: &["response_code", "response_flags", "duration"],
        keys: ENVOY,
        stamp_is_end: false,
        name_is_target: true,
    },
    Layout {
        name: "Envoy",
        told_by: &["response_code", "upstream_cluster", "duration"],
        keys: ENVOY,
        stamp_is_end: false,
        name_is_target: true,
    },
    // https://opentelemetry.io/docs/specs/otlp/: spans as JSON
    Layout {
        name: "OpenTelemetry",
        told_by: &["startTimeUnixNano", "endTimeUnixNano", "name"],
        keys: &[
            ("startTimeUnixNano", Role::Start),
            ("endTimeUnixNano", Role::End),
            ("name", Role::Name),
            ("status.code", Role::Span),
            ("attributes.http.response.status_code", Role::Status),
            ("attributes.http.request.method", Role::Method),
            ("attributes.http.route", Role::Other),
        ],
        stamp_is_end: false,
        name_is_target: false,
    },
    // https://www.elastic.co/docs/reference/ecs: `@timestamp` is when the event was written, unless `event.start` says more
    Layout {
        name: "ECS",
        told_by: &["event.duration", "event.start"],
        keys: ECS,
        stamp_is_end: false,
        name_is_target: true,
    },
    Layout {
        name: "ECS",
        told_by: &["event.duration", "@timestamp"],
        keys: ECS,
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://github.com/pinojs/pino-http; fastify writes the same
    Layout {
        name: "pino",
        told_by: &["req.method", "res.statusCode", "responseTime"],
        keys: &[
            ("time", Role::Start),
            ("responseTime", MILLISECONDS),
            ("res.statusCode", Role::Status),
            ("req.method", Role::Method),
            ("req.url", Role::Name),
            ("err", Role::Error),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://github.com/serilog/serilog-aspnetcore, written as CLEF
    Layout {
        name: "Serilog",
        told_by: &["@t", "Elapsed", "RequestPath"],
        keys: &[
            ("@t", Role::Start),
            ("Elapsed", MILLISECONDS),
            ("StatusCode", Role::Status),
            ("RequestMethod", Role::Method),
            ("RequestPath", Role::Name),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://github.com/roidrage/lograge
    Layout {
        name: "lograge",
        told_by: &["controller", "action", "duration", "status"],
        keys: &[
            ("@timestamp", Role::Start),
            ("time", Role::Start),
            ("duration", MILLISECONDS),
            ("status", Role::Status),
            ("method", Role::Method),
            ("path", Role::Name),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://pkg.go.dev/go.uber.org/zap#NewProductionEncoderConfig: durations as seconds, in floats
    Layout {
        name: "zap",
        told_by: &["level", "ts", "msg", "latency", "path"],
        keys: &[
            ("ts", Role::Start),
            ("latency", SECONDS),
            ("status", Role::Status),
            ("method", Role::Method),
            ("path", Role::Name),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://pkg.go.dev/github.com/rs/zerolog#pkg-variables: `DurationFieldUnit` is a millisecond
    Layout {
        name: "zerolog",
        told_by: &["level", "time", "message", "dur"],
        keys: &[
            ("time", Role::Start),
            ("dur", MILLISECONDS),
            ("status", Role::Status),
            ("method", Role::Method),
            ("url", Role::Name),
            ("path", Role::Name),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://docs.vespa.ai/en/access-logging.html
    Layout {
        name: "Vespa",
        told_by: &["httpversion", "code", "uri", "duration"],
        keys: &[
            ("time", Role::Start),
            ("duration", SECONDS),
            ("code", Role::Status),
            ("method", Role::Method),
            ("uri", Role::Name),
        ],
        stamp_is_end: false,
        name_is_target: true,
    },
    // https://github.com/tsenart/vegeta: `encode`; a code of 0 is a request that got no answer
    Layout {
        name: "vegeta",
        told_by: &["attack", "seq", "latency", "code", "timestamp"],
        keys: &[
            ("timestamp", Role::Start),
            ("latency", NANOSECONDS),
            ("code", Role::Status),
            ("error", Role::Error),
            ("method", Role::Method),
            ("url", Role::Name),
            ("bytes_in", Role::Length),
            ("seq", Role::Other),
            ("bytes_out", Role::Other),
        ],
        stamp_is_end: false,
        name_is_target: false,
    },
    // https://docs.goose.rs: `--request-log`; `elapsed` is when the request started in the run, not how long it took
    Layout {
        name: "goose",
        told_by: &[
            "coordinated_omission_elapsed",
            "response_time",
            "raw.method",
        ],
        keys: &[
            ("response_time", MILLISECONDS),
            ("status_code", Role::Status),
            ("success", Role::Success),
            ("error", Role::Error),
            ("raw.method", Role::Method),
            ("name", Role::Name),
            ("elapsed", Role::Other),
            ("coordinated_omission_elapsed", Role::Other),
            ("user_cadence", Role::Other),
        ],
        stamp_is_end: false,
        name_is_target: false,
    },
    // https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#HttpRequest
    Layout {
        name: "Google Cloud",
        told_by: &["httpRequest.status", "httpRequest.latency"],
        keys: &[
            ("timestamp", Role::Start),
            ("httpRequest.latency", SECONDS),
            ("httpRequest.status", Role::Status),
            ("httpRequest.requestMethod", Role::Method),
            ("httpRequest.requestUrl", Role::Name),
            ("httpRequest.responseSize", Role::Length),
        ],
        stamp_is_end: false,
        name_is_target: true,
    },
    // https://echo.labstack.com/docs/middleware/logger: `latency` in ns stands beside a text that states its unit
    Layout {
        name: "echo",
        told_by: &["latency_human", "latency", "uri"],
        keys: &[
            ("time", Role::Start),
            ("latency", NANOSECONDS),
            ("status", Role::Status),
            ("error", Role::Error),
            ("method", Role::Method),
            ("uri", Role::Name),
            ("bytes_out", Role::Length),
        ],
        stamp_is_end: true,
        name_is_target: true,
    },
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html: `$context.responseLatency`
    Layout {
        name: "API Gateway",
        told_by: &["responseLatency", "status", "httpMethod"],
        keys: &[
            ("requestTimeEpoch", Role::Start),
            ("requestTime", Role::Start),
            ("responseLatency", MILLISECONDS),
            ("status", Role::Status),
            ("httpMethod", Role::Method),
            ("resourcePath", Role::Name),
            ("path", Role::Name),
            ("responseLength", Role::Length),
        ],
        stamp_is_end: false,
        name_is_target: true,
    },
];

const ENVOY: &[(&str, Role)] = &[
    ("start_time", Role::Start),
    ("duration", MILLISECONDS),
    ("response_code", Role::Status),
    ("method", Role::Method),
    ("path", Role::Name),
    ("bytes_sent", Role::Length),
];

const ECS: &[(&str, Role)] = &[
    ("event.start", Role::Start),
    ("@timestamp", Role::Start),
    ("event.duration", NANOSECONDS),
    ("event.outcome", Role::Success),
    ("http.response.status_code", Role::Status),
    ("http.request.method", Role::Method),
    ("url.path", Role::Name),
    ("url.original", Role::Name),
    ("http.response.body.bytes", Role::Length),
];

impl Layout {
    fn fits(&self, object: &Map<String, Value>) -> bool {
        let mut keys = self.told_by.iter();
        keys.all(|key| lookup(object, key).is_some())
    }
}

/// Whose record it is, if its keys tell.
pub fn of(object: &Map<String, Value>) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.fits(object))
}

/// A record whose attributes are a list of keys and typed values, as OpenTelemetry writes them, with an object in its place.
pub fn flattened(object: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    let Some(Value::Array(list)) = object.get("attributes") else {
        return Cow::Borrowed(object);
    };
    let each = list.iter().filter_map(|attribute| {
        let value = attribute.get("value")?.as_object()?;
        Some((
            attribute.get("key")?.as_str()?.to_owned(),
            value.values().next()?.clone(),
        ))
    });
    let attributes: Map<String, Value> = each.collect();
    let mut object = object.clone();
    object.insert("attributes".to_owned(), Value::Object(attributes));
    Cow::Owned(object)
}
