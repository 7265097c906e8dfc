<?php
// A shop that asks as the provider's PHP library does, with nothing changed: the test host, SHA-1
// digests over a nonce that is encoded twice, `auth.additional`, default members that nobody set,
// numbers as text. Over Guzzle, the library's client, where it is installed, else over curl.

$world = json_decode(getenv('COBRO_WORLD_JSON'), true);
$site = $world['placetopay']['sites'][0];
$api = 'https://checkout-test.placetopay.com/';
$control = getenv('COBRO_CONTROL_URL');

@include 'GuzzleHttp/autoload.php';
$guzzle = class_exists('GuzzleHttp\Client') ? new GuzzleHttp\Client(['timeout' => 15, 'connect_timeout' => 5]) : null;

function auth(string $login, string $secret): array
{
    $nonce = base64_encode(bin2hex(random_bytes(16)));
    $seed = date('c');
    return [
        'login' => $login,
        'tranKey' => base64_encode(sha1($nonce . $seed . $secret, true)),
        'nonce' => base64_encode($nonce),
        'seed' => $seed,
        'additional' => [],
    ];
}

function post(string $url, array $body): array
{
    global $guzzle;
    if ($guzzle) {
        try {
            $answer = $guzzle->post($url, ['json' => $body]);
        } catch (GuzzleHttp\Exception\BadResponseException $refused) {
            $answer = $refused->getResponse();
        }
        return json_decode($answer->getBody()->getContents(), true);
    }
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json'],
        CURLOPT_POSTFIELDS => json_encode($body),
    ]);
    $answer = curl_exec($curl);
    if ($answer === false) {
        fwrite(STDERR, curl_error($curl) . "\n");
        exit(1);
    }
    return json_decode($answer, true);
}

function ask(string $path, array $body, ?string $secret = null): array
{
    global $api, $site;
    $answer = post($api . $path, $body + ['auth' => auth($site['login'], $secret ?? $site['secret_key'])]);
    // What the library reads of every answer, without looking whether it is there.
    foreach (['status', 'reason', 'message', 'date'] as $member) {
        if (!isset($answer['status'][$member])) {
            fwrite(STDERR, "$path: no status.$member\n");
            exit(1);
        }
    }
    return $answer;
}

/** What the library reads of a session. */
function information(array $answer): array
{
    foreach (['returnUrl', 'ipAddress', 'userAgent', 'expiration', 'locale'] as $member) {
        if (!is_string($answer['request'][$member] ?? null)) {
            fwrite(STDERR, "no request.$member\n");
            exit(1);
        }
    }
    return [$answer['status']['status'], $answer['payment'][0]['status']['status'] ?? null];
}

$agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Safari/537.36';
$common = [
    'locale' => 'es_CO',
    'expiration' => date('c', strtotime('+2 days')),
    'returnUrl' => 'http://example.com/response?reference=TEST',
    'ipAddress' => '127.0.0.1',
    'userAgent' => $agent,
];

// A payment with the least that the library asks for.
$made = ask('api/session', $common + [
    'payment' => ['reference' => 'TEST_1', 'description' => 'Testing payment', 'amount' => ['currency' => 'USD', 'total' => 120]],
]);
$untouched = information(ask("api/session/{$made['requestId']}", []));
post("$control/sessions/{$made['requestId']}/pay", ['card' => '4111111111111111']);
$paid = ask("api/session/{$made['requestId']}", []);
$payment = information($paid);

// A subscription, and a charge of its token.
$subscription = ask('api/session', $common + [
    'buyer' => ['name' => 'Rosa', 'surname' => 'Lemus', 'email' => 'rosa@example.org', 'document' => '1040035000', 'documentType' => 'CC', 'mobile' => '3006108300'],
    'subscription' => ['reference' => 'SUB_1', 'description' => 'Testing subscription'],
    'captureAddress' => true, 'skipResult' => true, 'noBuyerFill' => true,
]);
post("$control/sessions/{$subscription['requestId']}/pay", ['card' => '4111111111111111']);
$instrument = [];
foreach (ask("api/session/{$subscription['requestId']}", [])['subscription']['instrument'] as $pair) {
    $instrument[$pair['keyword']] = $pair['value'];
}
$collected = ask('api/collect', [
    'locale' => 'es_CO',
    'payer' => ['name' => 'John', 'surname' => 'Doe', 'email' => 'john.doe@example.com', 'document' => '1040035000', 'documentType' => 'CC', 'mobile' => '3006108300'],
    'payment' => ['reference' => 'TEST_2', 'description' => 'Testing payment', 'amount' => ['currency' => 'COP', 'total' => 12000]],
    'instrument' => ['token' => ['token' => $instrument['token'], 'installments' => '0']],
]);
$reference = (string) $collected['payment'][0]['internalReference'];
$reversed = ask('api/reverse', ['internalReference' => $reference]);
$invalidated = ask('api/instrument/invalidate', ['instrument' => ['token' => ['token' => $instrument['token']]]]);
$again = ask('api/collect', [
    'payment' => ['reference' => 'TEST_3', 'amount' => ['currency' => 'COP', 'total' => 1]],
    'instrument' => ['token' => ['token' => $instrument['token']]],
]);
$wrong = ask('api/session/1', [], 'another secret');

echo json_encode([
    'processUrl' => $made['processUrl'], 'untouched' => $untouched, 'payment' => $payment,
    'authorization' => strlen($paid['payment'][0]['authorization']), 'franchise' => $instrument['franchise'],
    'collect' => information($collected), 'reverse' => $reversed['status']['status'],
    'refunded' => $reversed['payment']['refunded'], 'invalidate' => $invalidated['status']['status'],
    'again' => $again['status']['reason'], 'wrong' => $wrong['status']['message'],
    'client' => $guzzle ? 'guzzle' : 'curl',
]), "\n";
