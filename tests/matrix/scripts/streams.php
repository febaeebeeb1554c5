<?php
// SPDX-License-Identifier: Apache-2.0
// PHP's streams. streams.php server|client CERT KEY CA PORT [VERSION]
[, $role, $cert, $key, $ca, $port] = $argv;
$versions = ['1.2' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT,
             '1.3' => STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT];
$tls = ['local_cert' => $cert, 'local_pk' => $key, 'cafile' => $ca,
        'verify_peer' => true, 'verify_peer_name' => $role == 'client'];
if ($role == 'server') {
    $context = stream_context_create(['ssl' => $tls]);
    $listener = stream_socket_server("tls://127.0.0.1:$port", $code, $text,
        STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context);
    while (true) {
        $connection = stream_socket_accept($listener, -1);
        if (!$connection)
            continue;
        fread($connection, 4096);
        fwrite($connection, "HTTP/1.0 200 OK\r\n\r\nserved\n");
        fclose($connection);
    }
}
$tls['crypto_method'] = $versions[$argv[6]];
echo file_get_contents("https://localhost:$port/", false,
    stream_context_create(['ssl' => $tls]));
