<?php
// A shop and a point of sale as somebody writes them for Clip in PHP: curl; no proxy, no certificate.

$cafe = json_decode(getenv('COBRO_WORLD_JSON'), true)['clip'];

function send(string $method, string $url, ?array $body = null, array $options = []): array
{
    $curl = curl_init($url);
    $headers = array_merge(['Content-Type: application/json'], $options[CURLOPT_HTTPHEADER] ?? []);
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method, CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers,
    ] + $options);
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode((object) $body));
    }
    $answer = curl_exec($curl);
    if ($answer === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), json_decode($answer, true)];
}

function shop(string $method, string $target, ?array $body = null, ?string $password = null): array
{
    global $cafe;
    $password ??= $cafe['secret'];
    return send($method, "https://$target", $body, [CURLOPT_USERPWD => "{$cafe['api_key']}:$password"]);
}

function till(string $method, ?array $body = null, ?string $password = null): array
{
    global $cafe;
    $password ??= $cafe['secret'];
    $header = 'x-api-key: Basic ' . base64_encode("{$cafe['api_key']}:$password");
    return send($method, 'https://api-gw.payclip.com/paymentrequest', $body, [CURLOPT_HTTPHEADER => [$header]]);
}

function at(string $method, string $path, ?array $body = null): array
{
    global $cafe;
    return send($method, getenv('COBRO_CONTROL_URL') . "/terminals/{$cafe['terminals'][0]}$path", $body)[1];
}

$card = [
    'cardholder_name' => 'Ana López', 'card_number' => '5177136199824515',
    'card_exp_month' => '12', 'card_exp_year' => '35', 'cvv' => '123',
];
[, $token] = shop('POST', 'api-secure.payclip.com/card_tokens', $card);
$order = [
    'amount' => 250.5, 'currency' => 'MXN', 'description' => 'Orden 1042',
    'payment_method' => ['token' => $token['id']],
    'customer' => ['email' => 'ana@example.com', 'phone' => '5512345678'],
];
[, $payment] = shop('POST', 'api.payclip.com/payments', $order);
[$again] = shop('POST', 'api.payclip.com/payments', $order);
$reference = ['type' => 'payment', 'id' => $payment['id']];
$return = ['reference' => $reference, 'amount' => 50.25, 'reason' => 'Taza rota'];
[, $refund] = shop('POST', 'api.payclip.com/refunds', $return);
$range = 'from=' . gmdate('Y-m-d', time() - 86400) . '&to=' . gmdate('Y-m-d', time() + 86400);
[, $list] = shop('GET', "api.payclip.com/payments?$range");
$found = array_column($list['results'], null, 'id')[$payment['id']];

[, $charge] = till('POST', ['amount' => 180.5, 'reference' => 'mesa-7', 'message' => 'Mesa 7']);
$code = $charge['payment_request_code'];
$before = at('GET', '');
at('POST', '/fetch', ['intent_id' => $code]);
$outcome = at('POST', '/card', []);
[, $charges] = till('GET');
$done = array_column($charges['transactions'], null, 'paymentRequestCode')[$code];

[$wrongShop] = shop('POST', 'api.payclip.com/refunds', ['amount' => 1] + $return, 'nobody');
[$wrongTill] = till('POST', ['amount' => 1, 'reference' => 'mesa-8', 'message' => 'Mesa 8'], 'nobody');

echo json_encode([
    'last4' => $token['card']['last_digits'], 'payment' => $payment['status'], 'again' => $again,
    'refund' => [$refund['status'], $refund['amount']],
    'found' => [$found['status'], $found['amount_refunded']],
    'charge' => $charge['payment_request_status'], 'waiting' => array_column($before['pending'], 'amount_minor'),
    'outcome' => $outcome['outcome'], 'done' => [$done['statusMsg'], $done['transactionId'] === $outcome['payment']['id']],
    'wrong' => [$wrongShop, $wrongTill],
]), "\n";
