package chrome

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
)

// Pins gives what --ignore-certificate-errors-spki-list takes for each certificate in
// the PEM text: the SHA-256 of its public key, in base64.
func Pins(text []byte) ([]string, error) {
	var pins []string
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
		pins = append(pins, base64.StdEncoding.EncodeToString(sum[:]))
	}
	if len(pins) == 0 {
		return nil, errors.New("no PEM certificate to pin")
	}
	return pins, nil
}

// CertificatesOf gives, as PEM, what the TLS server at address (host:port) shows. It is
// meant for a server on loopback that the test has started itself, and so trusts anything.
func CertificatesOf(address string) ([]byte, error) {
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var text []byte
	for _, certificate := range conn.ConnectionState().PeerCertificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})...)
	}
	return text, nil
}
