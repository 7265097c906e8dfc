"""Every method of the official Python SDK's Point, payment, refund, OAuth and user clients, and its
validator of webhook signatures: no host, no proxy, no certificate."""

import json
import os
import threading
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import mercadopago
from mercadopago.webhook import InvalidWebhookSignatureError, WebhookSignatureValidator

world = json.loads(os.environ["COBRO_WORLD_JSON"])["mercado_pago"]
seller = next(one for one in world["sellers"] if one["site"] == "MLA")
device = seller["terminals"][0]
sdk = mercadopago.SDK(seller["access_token"])
received = []
arrived = threading.Event()


class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        received.append((urllib.parse.urlsplit(self.path), dict(self.headers.items())))
        self.send_response(200)
        self.end_headers()
        arrived.set()

    def log_message(self, *arguments):
        pass


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{os.environ['COBRO_CONTROL_URL']}/{path}", data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def press(key):
    return control("POST", f"terminals/{device}/{key}", {})


hook = HTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hook.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{hook.server_port}/avisos"
control("PATCH", f"merchants/{seller['user_id']}", {"webhook": {"url": url}})

# Point
devices = sdk.point().get_devices({"limit": 10})["response"]
first = sdk.point().create(device, {"amount": 1500})["response"]
read = sdk.point().get(first["id"])["response"]
canceled = sdk.point().cancel(device, first["id"])
arrived.wait(60)

# payments and refunds
sdk.point().create(device, {"amount": 3000, "additional_info": {"external_reference": "caja-1"}})
press("fetch")
payment_id = press("card")["payment"]["id"]
payment = sdk.payment().get(payment_id)["response"]
found = sdk.payment().search({"external_reference": "caja-1"})["response"]
walked = [str(one["id"]) for one in sdk.payment().search_auto_paging_iter({"external_reference": "caja-1"})]
part = sdk.refund().create(payment_id, {"amount": 10})["response"]
shown = sdk.refund().get(payment_id, part["id"])["response"]
total = sdk.refund().create(payment_id)["response"]
listed = sdk.refund().list_all(payment_id)["response"]
# Not part of Point: payments are made on a terminal.
absent = {
    "create": sdk.payment().create({"transaction_amount": 1, "payment_method_id": "visa"})["status"],
    "capture": sdk.payment().capture(payment_id)["status"],
    "update": sdk.payment().update(payment_id, {})["status"],
}

# OAuth and the user
client_id = str(world["client_id"])
address = sdk.oauth().get_authorization_url(client_id, "https://tienda.example/vuelta", "x")
application = {"client_id": client_id, "client_secret": world["client_secret"]}
code = control("POST", "oauth/codes", {"user_id": seller["user_id"]})["code"]
given = {**application, "grant_type": "authorization_code", "code": code, "redirect_uri": "https://tienda.example/vuelta"}
token = sdk.oauth().create(given)["response"]
renewed = sdk.oauth().refresh(
    {**application, "grant_type": "refresh_token", "refresh_token": token["refresh_token"]})["response"]
user = mercadopago.SDK(renewed["access_token"]).user().get()["response"]
again = sdk.oauth().create(given)["status"]

# the signature of what was sent
target, headers = received[0]
headers = {name.lower(): value for name, value in headers.items()}
data_id = urllib.parse.parse_qs(target.query)["data.id"][0]


def validated(data_id, secret):
    try:
        WebhookSignatureValidator.validate(headers["x-signature"], headers["x-request-id"], data_id, secret)
        return "valid"
    except InvalidWebhookSignatureError as error:
        return error.reason.name


print(json.dumps({
    "devices": [one["id"] for one in devices["devices"]],
    "read": read["state"],
    "canceled": canceled["status"],
    "payment": [payment["status"], payment["transaction_amount"]],
    "found": found["paging"]["total"],
    "walked": len(walked),
    "same": walked[0] == str(payment_id),
    "part": [part["status"], part["amount"]],
    "shown": shown["id"] == part["id"],
    "total": total["amount"],
    "refunds": len(listed),
    "absent": absent,
    "authorization": f"client_id={client_id}" in address,
    "token": token["token_type"],
    "user": user["id"] == seller["user_id"],
    "again": again,
    "signatures": [validated(data_id, world["webhook_secret"]), validated("another", world["webhook_secret"]),
                   validated(data_id, "another")],
}))
