# SPDX-License-Identifier: Apache-2.0
# LWP. lwp.pl client CERT KEY CA PORT VERSION
use strict;
use warnings;
use LWP::UserAgent;

my (undef, $cert, $key, $ca, $port, $version) = @ARGV;
my $agent = LWP::UserAgent->new(
    ssl_opts => {
        SSL_cert_file => $cert,
        SSL_key_file  => $key,
        SSL_ca_file   => $ca,
        SSL_version   => $version eq '1.2' ? 'TLSv1_2' : 'TLSv1_3',
    },
);
my $response = $agent->get("https://localhost:$port/");
die 'FAIL: ' . $response->status_line . "\n" unless $response->is_success;
print $response->content;
