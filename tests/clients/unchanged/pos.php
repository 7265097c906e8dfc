<?php
// A point of sale as somebody writes it in PHP: curl, no proxy, no certificate; then the same
// call with Guzzle where Debian's package of it is installed.

$world = json_decode(getenv('COBRO_WORLD_JSON'), true);
$seller = $world['mercado_pago']['sellers'][0];
$device = $seller['terminals'][0];

function call(string $method, string $url, ?string $token, ?array $body = null): array
{
    $curl = curl_init($url);
    $headers = ['Content-Type: application/json'];
    if ($token !== null) {
        $headers[] = "Authorization: Bearer $token";
    }
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => $headers,
    ]);
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

$api = 'https://api.mercadopago.com';
$token = $seller['access_token'];
$control = getenv('COBRO_CONTROL_URL') . "/terminals/$device";
[, $intent] = call('POST', "$api/point/integration-api/devices/$device/payment-intents", $token, ['amount' => 1500]);
call('POST', "$control/fetch", null, []);
[, $outcome] = call('POST', "$control/card", null, []);
$id = $outcome['payment']['id'];
[, $payment] = call('GET', "$api/v1/payments/$id", $token);
[, $refund] = call('POST', "$api/v1/payments/$id/refunds", $token, []);
[$wrong] = call('GET', "$api/v1/payments/$id", 'TEST-nobody');

$guzzle = null;
@include 'GuzzleHttp/autoload.php';
if (class_exists('GuzzleHttp\Client')) {
    $client = new GuzzleHttp\Client(['base_uri' => $api, 'http_errors' => false]);
    $answer = $client->get("/v1/payments/$id", ['headers' => ['Authorization' => "Bearer $token"]]);
    $guzzle = $answer->getStatusCode();
}

echo json_encode([
    'intent' => $intent['id'], 'status' => $payment['status'], 'amount' => $payment['transaction_amount'],
    'refund' => $refund['status'], 'wrong' => $wrong, 'guzzle' => $guzzle,
]), "\n";
