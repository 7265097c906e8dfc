<?php
// A shop as somebody writes it for Placetopay in PHP: curl, a nonce and a digest for each call; no
// proxy, no certificate.

$world = json_decode(getenv('COBRO_WORLD_JSON'), true);
$site = array_values(array_filter($world['placetopay']['sites'], fn ($one) => $one['country'] === 'CO'))[0];

function post(string $url, array $body): array
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_POSTFIELDS => json_encode((object) $body),
        CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
    ]);
    $answer = curl_exec($curl);
    if ($answer === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), json_decode($answer, true)];
}

function call(string $path, array $body, array $change = []): array
{
    global $site;
    $nonce = random_bytes(16);
    $seed = date('c');
    $auth = [
        'login' => $site['login'],
        'tranKey' => base64_encode(hash('sha256', $nonce . $seed . $site['secret_key'], true)),
        'nonce' => base64_encode($nonce),
        'seed' => $seed,
    ];
    return post("https://checkout-test.placetopay.com/api/$path", $body + ['auth' => $change + $auth]);
}

$about = [
    'locale' => 'es_CO', 'returnUrl' => 'https://tienda.example/vuelta',
    'ipAddress' => '203.0.113.9', 'userAgent' => 'Tienda/1.0',
];
[, $session] = call('session', $about + ['subscription' => ['reference' => 'SUB-1', 'description' => 'Plan']]);
$id = $session['requestId'];
post(getenv('COBRO_CONTROL_URL') . "/sessions/$id/pay", ['card' => '4111111111111111', 'otp' => '12345']);
[, $stored] = call("session/$id", []);
$token = array_column($stored['subscription']['instrument'], 'value', 'keyword')['token'];
$instrument = ['token' => ['token' => $token]];
$payment = ['reference' => 'CUOTA-1', 'description' => 'Cuota', 'amount' => ['currency' => 'COP', 'total' => 45900]];
[, $charged] = call('collect', $about + ['payment' => $payment, 'instrument' => $instrument]);
[, $given] = call('reverse', ['internalReference' => $charged['payment'][0]['internalReference']]);
[, $gone] = call('instrument/invalidate', ['instrument' => $instrument]);
$other = ['reference' => 'CUOTA-2'] + $payment;
[$refused] = call('collect', $about + ['payment' => $other, 'instrument' => $instrument]);
[$wrong] = call('collect', [], ['login' => 'nobody']);

echo json_encode([
    'session' => $session['status']['status'], 'stored' => $stored['status']['status'],
    'charged' => $charged['status']['status'], 'given' => $given['status']['status'],
    'gone' => $gone['status']['status'], 'refused' => $refused, 'wrong' => $wrong,
]), "\n";
