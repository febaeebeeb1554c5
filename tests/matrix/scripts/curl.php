<?php
// SPDX-License-Identifier: Apache-2.0
// PHP's curl. curl.php client CERT KEY CA PORT VERSION
[, , $cert, $key, $ca, $port, $version] = $argv;
$versions = ['1.2' => CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2,
             '1.3' => CURL_SSLVERSION_TLSv1_3];
$curl = curl_init("https://localhost:$port/");
curl_setopt_array($curl, [CURLOPT_SSLCERT => $cert, CURLOPT_SSLKEY => $key,
    CURLOPT_CAINFO => $ca, CURLOPT_SSLVERSION => $versions[$version],
    CURLOPT_PROXY => '', CURLOPT_TIMEOUT => 20]);
if (!curl_exec($curl)) {
    fwrite(STDERR, 'FAIL: ' . curl_error($curl) . "\n");
    exit(1);
}
