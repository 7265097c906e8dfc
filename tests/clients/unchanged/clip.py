"""A shop and a point of sale as somebody writes them for Clip in Python: requests; no proxy, no
certificate."""

import base64
import json
import os
from datetime import datetime, timedelta, timezone

import requests

cafe = json.loads(os.environ["COBRO_WORLD_JSON"])["clip"]
key, secret, terminal = cafe["api_key"], cafe["secret"], cafe["terminals"][0]


def shop(method, target, password=secret, **more):
    url = "https://" + target
    answer = requests.request(method, url, auth=(key, password), timeout=60, **more)
    return answer.status_code, answer.json()


def till(method, password=secret, **more):
    basic = base64.b64encode(f"{key}:{password}".encode()).decode()
    headers = {"x-api-key": "Basic " + basic}
    url = "https://api-gw.payclip.com/paymentrequest"
    answer = requests.request(method, url, headers=headers, timeout=60, **more)
    return answer.status_code, answer.json()


def at(method, path, **more):
    url = f"{os.environ['COBRO_CONTROL_URL']}/terminals/{terminal}{path}"
    return requests.request(method, url, timeout=60, **more).json()


def day(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).date().isoformat()


card = {
    "cardholder_name": "Ana López", "card_number": "5177136199824515",
    "card_exp_month": "12", "card_exp_year": "35", "cvv": "123",
}
_, token = shop("POST", "api-secure.payclip.com/card_tokens", json=card)
order = {
    "amount": 250.5, "currency": "MXN", "description": "Orden 1042",
    "payment_method": {"token": token["id"]},
    "customer": {"email": "ana@example.com", "phone": "5512345678"},
}
_, payment = shop("POST", "api.payclip.com/payments", json=order)
again, _ = shop("POST", "api.payclip.com/payments", json=order)
reference = {"type": "payment", "id": payment["id"]}
_, refund = shop(
    "POST", "api.payclip.com/refunds",
    json={"reference": reference, "amount": 50.25, "reason": "Taza rota"})
_, page = shop("GET", "api.payclip.com/payments", params={"from": day(-1), "to": day(1)})
found = next(one for one in page["results"] if one["id"] == payment["id"])

_, charge = till("POST", json={"amount": 180.5, "reference": "mesa-7", "message": "Mesa 7"})
before = at("GET", "")
at("POST", "/fetch", json={"intent_id": charge["payment_request_code"]})
outcome = at("POST", "/card", json={})
_, charges = till("GET")
done = next(
    one for one in charges["transactions"]
    if one["paymentRequestCode"] == charge["payment_request_code"])

wrong_shop, _ = shop(
    "POST", "api.payclip.com/refunds", "nobody", json={"reference": reference, "amount": 1})
wrong_till, _ = till("POST", "nobody", json={"amount": 1, "reference": "mesa-8", "message": "Mesa 8"})

print(json.dumps({
    "last4": token["card"]["last_digits"], "payment": payment["status"], "again": again,
    "refund": [refund["status"], refund["amount"]],
    "found": [found["status"], found["amount_refunded"]],
    "charge": charge["payment_request_status"],
    "waiting": [one["amount_minor"] for one in before["pending"]],
    "outcome": outcome["outcome"],
    "done": [done["statusMsg"], done["transactionId"] == outcome["payment"]["id"]],
    "wrong": [wrong_shop, wrong_till],
}))
