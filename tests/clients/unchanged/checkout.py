"""A shop as somebody writes it for Placetopay in Python: requests, a nonce and a digest for each
call; no proxy, no certificate."""

import base64
import hashlib
import json
import os
from datetime import datetime, timezone

import requests

sites = json.loads(os.environ["COBRO_WORLD_JSON"])["placetopay"]["sites"]
site = next(one for one in sites if one["country"] == "CO")


def auth():
    nonce = os.urandom(16)
    seed = datetime.now(timezone.utc).isoformat(timespec="seconds")
    digest = hashlib.sha256(nonce + (seed + site["secret_key"]).encode()).digest()
    return {
        "login": site["login"],
        "tranKey": base64.b64encode(digest).decode(),
        "nonce": base64.b64encode(nonce).decode(),
        "seed": seed,
    }


def call(path, body, **change):
    url = "https://checkout-test.placetopay.com/api/" + path
    answer = requests.post(url, json={**body, "auth": {**auth(), **change}}, timeout=60)
    return answer.status_code, answer.json()


about = {
    "locale": "es_CO", "returnUrl": "https://tienda.example/vuelta",
    "ipAddress": "203.0.113.9", "userAgent": "Tienda/1.0",
}
_, session = call("session", {**about, "subscription": {"reference": "SUB-1", "description": "Plan"}})
requests.post(
    f"{os.environ['COBRO_CONTROL_URL']}/sessions/{session['requestId']}/pay",
    json={"card": "4111111111111111", "otp": "12345"}, timeout=60)
_, stored = call(f"session/{session['requestId']}", {})
token = next(one["value"] for one in stored["subscription"]["instrument"] if one["keyword"] == "token")
instrument = {"token": {"token": token}}
payment = {"reference": "CUOTA-1", "description": "Cuota", "amount": {"currency": "COP", "total": 45900}}
_, charged = call("collect", {**about, "payment": payment, "instrument": instrument})
_, given = call("reverse", {"internalReference": charged["payment"][0]["internalReference"]})
_, gone = call("instrument/invalidate", {"instrument": instrument})
refused, _ = call("collect", {**about, "payment": {**payment, "reference": "CUOTA-2"}, "instrument": instrument})
wrong, _ = call("collect", {}, login="nobody")

print(json.dumps({
    "session": session["status"]["status"], "stored": stored["status"]["status"],
    "charged": charged["status"]["status"], "given": given["status"]["status"],
    "gone": gone["status"]["status"], "refused": refused, "wrong": wrong,
}))
