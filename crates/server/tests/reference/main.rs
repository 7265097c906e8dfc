//! The API reference's commands, as somebody would paste them: every one is run in a shell against
//! the real binary, and must be answered with a success that the reference documents.

#[cfg(test)]
#[path = "../clip/shop.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod clip_shop;
#[cfg(test)]
#[path = "../it/http.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod http;
#[cfg(test)]
#[path = "../it/place.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod place;
#[cfg(test)]
#[path = "../it/point.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod point;
#[cfg(test)]
#[path = "../it/receiver.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod receiver;
#[cfg(test)]
#[path = "../it/server.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod server;
#[cfg(test)]
#[path = "../it/shape.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod shape;
#[cfg(test)]
#[path = "../placetopay/shop.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod shop;
#[cfg(test)]
#[path = "../clip/till.rs"]
#[allow(dead_code, reason = "shared with the other tests of the binary")]
mod till;

#[cfg(test)]
mod cafe;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod stage;
