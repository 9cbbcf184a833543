# One end of an exchange by Perl's GSSAPI, in the frames of peer.py: perl_end.pl initiate|accept raw|spnego
use strict;
use warnings;
use GSSAPI;

binmode STDIN;
binmode STDOUT;
$| = 1;

sub give {
    my ($kind, $data) = @_;
    print pack('N', 1 + length $data), $kind, $data;
}

sub take {
    (read(STDIN, my $head, 4) // 0) == 4 or exit;
    read STDIN, my $data, unpack('N', $head);
    return $data // '';
}

sub need {
    my ($status) = @_;
    return if $status->major == GSS_S_COMPLETE || $status->major == GSS_S_CONTINUE_NEEDED;
    give('!', join ' / ', $status->generic_message, $status->specific_message);
    exit 1;
}

my ($role, $mech) = @ARGV;
need(GSSAPI::OID->from_str(my $oid, $mech eq 'raw' ? '{ 1 3 6 1 4 1 311 2 2 10 }' : '{ 1 3 6 1 5 5 2 }'));
my ($context, $client);
my $flags = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;

sub initiate {
    need(GSSAPI::Name->import(my $target, 'host@server.example', GSSAPI::OID::gss_nt_hostbased_service));
    my $token = '';
    while (1) {
        my $status = GSSAPI::Context::init($context, GSS_C_NO_CREDENTIAL, $target, $oid, $flags, 0,
            GSS_C_NO_CHANNEL_BINDINGS, $token, undef, my $out, undef, undef);
        need($status);
        my $done = $status->major == GSS_S_COMPLETE;
        give($done ? '+' : '-', $out // '');
        last if $done;
        $token = take();
    }
}

sub accept_login {
    while (1) {
        my $status = GSSAPI::Context::accept($context, GSS_C_NO_CREDENTIAL, take(), GSS_C_NO_CHANNEL_BINDINGS,
            $client, undef, my $out, undef, undef, undef);
        need($status);
        my $done = $status->major == GSS_S_COMPLETE;
        give($done ? '+' : '-', $out // '');
        last if $done;
    }
}

sub answer {
    my ($command, $data) = @_;
    my $out = '';
    if ($command eq 'wrap') {
        need($context->wrap(1, 0, $data, my $sealed, $out));
    } elsif ($command eq 'unwrap') {
        need($context->unwrap($data, $out, my $sealed, my $qop));
    } elsif ($command eq 'mic') {
        need($context->get_mic(0, $data, $out));
    } elsif ($command eq 'verify') {
        need($context->verify_mic(substr($data, 16), substr($data, 0, 16), my $qop));
    } elsif ($command eq 'name') {
        need($client->display($out));
    }
    give('+', $out);
}

$role eq 'initiate' ? initiate() : accept_login();
while (1) {
    my ($command, $data) = split / /, take(), 2;
    answer($command, $data // '');
}
