# SPDX-License-Identifier: Apache-2.0
# IO::Socket::SSL. socket_ssl.pl server|client CERT KEY CA PORT [VERSION]
use strict;
use warnings;
use IO::Socket::SSL;

my ($role, $cert, $key, $ca, $port, $version) = @ARGV;
my %tls = (
    SSL_cert_file => $cert,
    SSL_key_file  => $key,
    SSL_ca_file   => $ca,
);
if ($role eq 'server') {
    my $listener = IO::Socket::SSL->new(
        %tls,
        LocalAddr       => '127.0.0.1',
        LocalPort       => $port,
        Listen          => 5,
        ReuseAddr       => 1,
        SSL_verify_mode => SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    ) or die "FAIL: $! $SSL_ERROR\n";
    while (1) {
        my $connection = $listener->accept or do {
            warn "$! $SSL_ERROR\n";
            next;
        };
        while (my $line = <$connection>) { last if $line eq "\r\n" }
        print $connection "HTTP/1.0 200 OK\r\n\r\nserved\n";
        close $connection;
    }
}
my $connection = IO::Socket::SSL->new(
    %tls,
    PeerHost            => 'localhost',
    PeerPort            => $port,
    SSL_verify_mode     => SSL_VERIFY_PEER,
    SSL_verifycn_scheme => 'http',
    SSL_version         => $version eq '1.2' ? 'TLSv1_2' : 'TLSv1_3',
) or die "FAIL: $! $SSL_ERROR\n";
print $connection "GET / HTTP/1.0\r\n\r\n";
print while <$connection>;
