"""The libraries that Python programs call providers with, each in its usual form."""

import json
import os
import urllib.request

import httpx
import requests

URL = "https://api.mercadopago.com/point/integration-api/devices"
world = json.loads(os.environ["COBRO_WORLD_JSON"])
headers = {"authorization": "Bearer " + world["mercado_pago"]["sellers"][0]["access_token"]}


def standard():
    with urllib.request.urlopen(urllib.request.Request(URL, headers=headers)) as answer:
        return json.load(answer)


answers = {
    "urllib": standard(),
    "requests": requests.get(URL, headers=headers, timeout=10).json(),
    "httpx": httpx.get(URL, headers=headers).json(),
}
wrong = {
    "requests": requests.get(URL, timeout=10).status_code,
    "httpx": httpx.get(URL).status_code,
}
print(json.dumps({
    "devices": {name: answer["devices"][0]["id"] for name, answer in answers.items()},
    "wrong": wrong,
}))
