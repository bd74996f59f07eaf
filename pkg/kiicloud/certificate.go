package kiicloud

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	caFile, caKeyFile         = "ca.pem", "ca-key.pem"
	serverFile, serverKeyFile = "server.pem", "server-key.pem"

	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 397 * 24 * time.Hour // browsers refuse longer ones
	renewAt    = 30 * 24 * time.Hour  // before its end a certificate is made anew
)

// authority is the local CA of a data folder. Its certificate is what a browser or a
// client can be told to trust; its key signs the server's certificates.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  func() time.Time
}

// openAuthority reads the folder's CA, and makes one where there is none or it is about to end.
func openAuthority(dir string, now func() time.Time) (*authority, error) {
	a := &authority{dir: dir, now: now}
	pair, err := tls.LoadX509KeyPair(a.path(caFile), a.path(caKeyFile))
	switch {
	case err == nil && a.good(pair.Leaf):
		key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
		if !ok {
			return nil, errors.New(a.path(caKeyFile) + " is not an ECDSA key; remove it and " + caFile + " to have a new CA made")
		}
		a.cert, a.key = pair.Leaf, key
		return a, nil
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("the local CA cannot be read (remove %s and %s to have a new one made): %w", caFile, caKeyFile, err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "kiicloud local CA"},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	a.cert, a.key, err = a.issue(template, nil, caLife, caFile, caKeyFile)
	return a, err
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// good reports whether a certificate is valid for a while to come.
func (a *authority) good(c *x509.Certificate) bool {
	now := a.now()
	return c != nil && now.After(c.NotBefore) && now.Add(renewAt).Before(c.NotAfter)
}

// server gives a certificate for hosts, the one in the folder where it fits. Its chain
// holds the CA as well.
func (a *authority) server(hosts []string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(a.path(serverFile), a.path(serverKeyFile))
	if err == nil && a.good(pair.Leaf) && a.signed(pair.Leaf) && covers(pair.Leaf, hosts) {
		return a.withChain(pair), nil
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	cert, key, err := a.issue(template, a, serverLife, serverFile, serverKeyFile)
	if err != nil {
		return nil, err
	}
	return a.withChain(tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}), nil
}

func (a *authority) signed(c *x509.Certificate) bool { return c.CheckSignatureFrom(a.cert) == nil }

func (a *authority) withChain(c tls.Certificate) *tls.Certificate {
	c.Certificate = append(c.Certificate[:1:1], a.cert.Raw)
	return &c
}

func covers(c *x509.Certificate, hosts []string) bool {
	for _, h := range hosts {
		if c.VerifyHostname(h) != nil {
			return false
		}
	}
	return true
}

// issue makes a key and a certificate signed by parent, or by itself, and keeps both.
func (a *authority) issue(t *x509.Certificate, parent *authority, life time.Duration, certName, keyName string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, err
	}
	t.NotBefore = a.now().Add(-time.Hour) // clocks differ
	t.NotAfter = t.NotBefore.Add(life)
	signer, signKey := t, key
	if parent != nil {
		signer, signKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, t, signer, &key.PublicKey, signKey)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	err = writeWhole(a.path(keyName), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)
	if err == nil {
		err = writeWhole(a.path(certName), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
	}
	return cert, key, err
}
