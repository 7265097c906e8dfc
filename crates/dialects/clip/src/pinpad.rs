//! The newer way to a terminal: reference, section 7.

use axum::response::Response;
use axum::routing::MethodFilter;
use cobro_surface::endpoint::{Endpoint, Routes};

use crate::call::{Api, Call, serve};
use crate::endpoints::{TOO_LARGE, UNAUTHORIZED, endpoint};
use crate::errors::Refusal;
use crate::routes::Surface;

static CREATE: Endpoint = Endpoint {
    summary: "Send a payment to a terminal",
    responses: &[UNAUTHORIZED, TOO_LARGE],
    ..endpoint("POST", "/f2f/pinpad/v1/payment", "createPinPadPayment", "PinPad")
};

static READ: Endpoint = Endpoint {
    summary: "Read a payment that was sent to a terminal",
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/f2f/pinpad/v1/payment", "readPinPadPayment", "PinPad")
};

static CANCEL: Endpoint = Endpoint {
    summary: "Take a payment back that the terminal has not taken",
    responses: &[UNAUTHORIZED],
    ..endpoint("DELETE", "/f2f/pinpad/v1/payment/{id}", "cancelPinPadPayment", "PinPad")
};

static CANCEL_BY_SERIAL: Endpoint = Endpoint {
    summary: "Take back what waits for a terminal",
    responses: &[UNAUTHORIZED],
    ..endpoint(
        "DELETE",
        "/f2f/pinpad/v1/payment/serial-number/{serial}",
        "cancelPinPadPaymentBySerial",
        "PinPad",
    )
};

static STATUS: Endpoint = Endpoint {
    summary: "Which terminals answer",
    responses: &[UNAUTHORIZED],
    ..endpoint("GET", "/f2f/pinpad/v1/devices/status", "readPinPadDevices", "PinPad")
};

static DEVICES: Endpoint = Endpoint {
    summary: "Set how terminals work",
    responses: &[UNAUTHORIZED, TOO_LARGE],
    ..endpoint("POST", "/f2f/pinpad/v1/devices", "changePinPadDevices", "PinPad")
};

pub(crate) fn routes(routes: Routes<Surface>) -> Routes<Surface> {
    let api = Api::PinPad;
    routes
        .at(&CREATE, serve(MethodFilter::POST, api, create))
        .at(&READ, serve(MethodFilter::GET, api, read))
        .at(&CANCEL, serve(MethodFilter::DELETE, api, cancel))
        .at(&CANCEL_BY_SERIAL, serve(MethodFilter::DELETE, api, cancel_by_serial))
        .at(&STATUS, serve(MethodFilter::GET, api, status))
        .at(&DEVICES, serve(MethodFilter::POST, api, devices))
}

async fn create(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn read(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn cancel(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn cancel_by_serial(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn status(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}

async fn devices(call: Call) -> Result<Response, Refusal> {
    Err(Refusal::unavailable(call.api))
}
