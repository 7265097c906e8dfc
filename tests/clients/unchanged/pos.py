"""A point of sale as somebody writes it: the official SDK, no host, no proxy, no certificate."""

import json
import os
import urllib.request

import mercadopago

world = json.loads(os.environ["COBRO_WORLD_JSON"])
seller = next(one for one in world["mercado_pago"]["sellers"] if one["site"] == "MLA")
device = seller["terminals"][0]
sdk = mercadopago.SDK(seller["access_token"])


def press(key):
    url = f"{os.environ['COBRO_CONTROL_URL']}/terminals/{device}/{key}"
    request = urllib.request.Request(url, b"{}", {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


intent = sdk.point().create(device, {"amount": 1500})
press("fetch")
payment_id = press("card")["payment"]["id"]
payment = sdk.payment().get(payment_id)["response"]
refund = sdk.refund().create(payment_id)
wrong = mercadopago.SDK("TEST-nobody").payment().get(payment_id)

print(json.dumps({
    "intent": intent["response"]["id"],
    "status": payment["status"],
    "amount": payment["transaction_amount"],
    "refund": refund["response"]["status"],
    "wrong": wrong["status"],
}))
