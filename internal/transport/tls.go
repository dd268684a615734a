package transport

import (
	"crypto/ed25519"
	"crypto/tls"

	"groove/internal/groove"
)

// config is what both ends have in common: TLS 1.3 and nothing older, no
// tickets. check decides over the peer's key and protocol; it is called once for
// each connection, before anything is read from it.
func config(cert tls.Certificate, protos []string, check func(key ed25519.PublicKey, alpn string) error) *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		MaxVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{cert},
		NextProtos:   protos,
		// Names and dates of certificates say nothing here; VerifyConnection, which
		// these two leave alone, compares the key.
		ClientAuth:         tls.RequireAnyClientCert,
		InsecureSkipVerify: true,
		// A resumed session would skip the exchange that proves the key.
		SessionTicketsDisabled: true,
		// Frames are written whole: small first records only cost system calls.
		DynamicRecordSizingDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			key, err := peerKey(&state)
			if err != nil {
				return err
			}
			if state.NegotiatedProtocol == "" {
				return groove.Errorf("check protocol", groove.KindVersionNone, "the peer named no protocol (ALPN)")
			}
			return check(key, state.NegotiatedProtocol)
		},
	}
}

// peerKey takes exactly one Ed25519 certificate of a fresh handshake.
func peerKey(state *tls.ConnectionState) (ed25519.PublicKey, error) {
	const op = "check certificate"
	if state.DidResume {
		return nil, groove.Errorf(op, groove.KindUnknownKey, "the session was resumed")
	}
	if n := len(state.PeerCertificates); n != 1 {
		return nil, groove.Errorf(op, groove.KindUnknownKey, "%d certificates, one is shown", n)
	}
	key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, groove.Errorf(op, groove.KindUnknownKey, "the key is not of type Ed25519")
	}
	return key, nil
}

// bindingOf is the channel binding of a finished handshake.
func bindingOf(state *tls.ConnectionState) (binding [32]byte, err error) {
	material, err := state.ExportKeyingMaterial(exporterLabel, nil, len(binding))
	if err != nil {
		return binding, groove.Wrap("bind channel", groove.KindInternal, err)
	}
	copy(binding[:], material)
	return binding, nil
}
