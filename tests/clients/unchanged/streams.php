<?php
// PHP's streams, which know no proxy of the environment: the program names it. Then SoapClient,
// which brings its own HTTP, where PHP has it: Cobro speaks no SOAP, and says so.

$world = json_decode(getenv('COBRO_WORLD_JSON'), true);
$token = $world['mercado_pago']['sellers'][0]['access_token'];
$proxy = parse_url(getenv('HTTPS_PROXY'));
$http = ['proxy' => "tcp://{$proxy['host']}:{$proxy['port']}", 'ignore_errors' => true];

function get(array $http, string $header): array
{
    $context = stream_context_create(['http' => ['header' => $header] + $http]);
    $body = file_get_contents('https://api.mercadopago.com/point/integration-api/devices', false, $context);
    return [(int) explode(' ', $http_response_header[0])[1], json_decode($body, true)];
}

[$status, $devices] = get($http, "Authorization: Bearer $token");
[$wrong] = get($http, 'Authorization: Bearer nobody');

$soap = null;
if (class_exists('SoapClient')) {
    $client = new SoapClient(null, [
        'location' => 'https://checkout-test.placetopay.com/soap/', 'uri' => 'urn:x',
        'proxy_host' => $proxy['host'], 'proxy_port' => $proxy['port'],
    ]);
    try {
        $client->__soapCall('getRequestInformation', []);
    } catch (SoapFault $fault) {
        $soap = $fault->getMessage();
    }
}

echo json_encode(['status' => $status, 'device' => $devices['devices'][0]['id'], 'wrong' => $wrong, 'soap' => $soap]), "\n";
