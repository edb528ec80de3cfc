// Command judge holds Cellwall's Workload API and certificates to what Go programs expect: go-spiffe and zlint.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/spiffetls"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := run(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command string, args []string) error {
	switch command {
	case "x509":
		return fetchX509(ctx)
	case "watch":
		return watch(ctx)
	case "jwt":
		return fetchJWT(ctx, args[0])
	case "dial":
		return dial(ctx, args[0], args[1])
	case "serve":
		return serve(ctx, args[0])
	case "bundle":
		return readBundle(args[0])
	case "lint":
		return lintCertificates()
	}
	return fmt.Errorf("no command %q", command)
}

func say(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

// fetchX509 fetches the identity, and verifies it with the bundle that came along.
func fetchX509(ctx context.Context) error {
	source, err := workloadapi.NewX509Source(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	svid, err := source.GetX509SVID()
	if err != nil {
		return err
	}
	id, _, err := x509svid.Verify(svid.Certificates, source)
	if err != nil {
		return err
	}
	return say(map[string]any{"id": id.String(), "serial": fmt.Sprintf("%x", svid.Certificates[0].SerialNumber)})
}

type watcher struct{}

func (watcher) OnX509ContextUpdate(update *workloadapi.X509Context) {
	leaf := update.DefaultSVID().Certificates[0]
	_ = say(map[string]any{"serial": fmt.Sprintf("%x", leaf.SerialNumber), "bundles": update.Bundles.Len()})
}

func (watcher) OnX509ContextWatchError(err error) {
	_ = say(map[string]any{"error": err.Error()})
}

// watch tells each update of the identity until standard input ends.
func watch(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := workloadapi.WatchX509Context(ctx, watcher{}); !errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return err
	}
	return nil
}

// fetchJWT fetches a token, and has it verified here and by the Workload API.
func fetchJWT(ctx context.Context, audience string) error {
	source, err := workloadapi.NewJWTSource(ctx)
	if err != nil {
		return err
	}
	defer source.Close()
	svid, err := source.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience})
	if err != nil {
		return err
	}
	verified, err := jwtsvid.ParseAndValidate(svid.Marshal(), source, []string{audience})
	if err != nil {
		return fmt.Errorf("here: %w", err)
	}
	remote, err := workloadapi.ValidateJWTSVID(ctx, svid.Marshal(), audience)
	if err != nil {
		return fmt.Errorf("by the Workload API: %w", err)
	}
	_, wrong := jwtsvid.ParseAndValidate(svid.Marshal(), source, []string{"another"})
	return say(map[string]any{
		"here": verified.ID.String(), "remote": remote.ID.String(), "another": wrong != nil, "token": svid.Marshal(),
	})
}

// dial speaks to a server of one identity, and tells what it answers.
func dial(ctx context.Context, address, id string) error {
	authorizer := tlsconfig.AuthorizeID(spiffeid.RequireFromString(id))
	conn, err := spiffetls.Dial(ctx, "tcp", address, authorizer)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, "hello from go"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	peer, err := spiffetls.PeerIDFromConn(conn)
	if err != nil {
		return err
	}
	return say(map[string]any{"line": line, "peer": peer.String()})
}

// serve answers one connection of one identity.
func serve(ctx context.Context, id string) error {
	authorizer := tlsconfig.AuthorizeID(spiffeid.RequireFromString(id))
	listener, err := spiffetls.Listen(ctx, "tcp", "127.0.0.1:0", authorizer)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := say(map[string]any{"port": listener.Addr().(*net.TCPAddr).Port}); err != nil {
		return err
	}
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	peer, err := spiffetls.PeerIDFromConn(conn)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "%s said %s", peer, line)
	return err
}

// readBundle reads a SPIFFE bundle document from standard input.
func readBundle(trustDomain string) error {
	bundle, err := spiffebundle.Read(spiffeid.RequireTrustDomainFromString(trustDomain), os.Stdin)
	if err != nil {
		return err
	}
	return say(map[string]any{"x509": len(bundle.X509Authorities()), "jwt": len(bundle.JWTAuthorities())})
}

// lintCertificates tells each lint that does not pass for the certificates (PEM) on standard input.
func lintCertificates() error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	registry, err := lint.GlobalRegistry().Filter(lint.FilterOptions{
		IncludeSources: lint.SourceList{lint.RFC3279, lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC6962, lint.RFC8813, lint.Community},
	})
	if err != nil {
		return err
	}
	count := 0
	findings := []string{}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		count++
		for name, result := range zlint.LintCertificateEx(certificate, registry).Results {
			if result.Status >= lint.Notice {
				findings = append(findings, fmt.Sprintf("certificate %d: %s: %s %s", count, result.Status, name, result.Details))
			}
		}
	}
	return say(map[string]any{"certificates": count, "lints": len(registry.Names()), "findings": findings})
}
