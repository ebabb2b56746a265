// Command token is the operator's: it makes the key pair by which an installation knows its callers, and issues access tokens.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/bookplate/bookplate/shared/auth"
	"github.com/bookplate/bookplate/shared/world"
)

const help = `token makes keys and access tokens for a Bookplate installation.

  token -new-key DIR
        Make a key pair: DIR/private.pem (keep it; whoever has it can issue any token)
        and DIR/public.pem (give it to the functions). Existing files are never overwritten.

  token -key private.pem -role ROLE -subject WHO [-name NAME] [-for 8h] [-audience bookplate]
        Print an access token (a JWT, ES256) on standard output.

ROLE is one of
  reader            asks for books for themselves; WHO is the person's externalId
  viewer            reads
  manager           also assigns books, answers requests, syncs
  administrator     also adds, renews and removes content tokens, takes over, approves
  identityProvider  feeds people and groups over SCIM, and nothing else

A token can't be called back before it expires, except by replacing the key: keep -for short.

Example:
  token -new-key keys
  TOKEN=$(token -key keys/private.pem -role administrator -subject anna@school.example -for 8h)
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/v1.0/deviceAppManagement/vppTokens

Options:
`

// longest lifetime: an identity provider's token is renewed with the content token, once a year.
const longest = 366 * 24 * time.Hour

func main() {
	if err := run(os.Args[1:], world.Real(), os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "token:", err)
		os.Exit(1)
	}
}

func run(args []string, w world.World, out, messages io.Writer) error {
	flags := flag.NewFlagSet("token", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // a mistake is told once, by main, without the whole help
	newKey := flags.String("new-key", "", "make a key pair in this `directory`")
	keyFile := flags.String("key", "", "the private key `file` to sign with")
	role := flags.String("role", "", "the token's `role`")
	subject := flags.String("subject", "", "`who` will use the token; recorded with what they do")
	name := flags.String("name", "", "the `name` of who will use it, for people to read")
	lifetime := flags.Duration("for", 8*time.Hour, "how `long` the token is valid, at most 8784h (366 days)")
	audience := flags.String("audience", auth.DefaultAudience, "the installation's `name`, as its functions have it")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(out)
		_, err := io.WriteString(out, help)
		flags.PrintDefaults()
		return err
	} else if err != nil {
		return fmt.Errorf("%w (see -help)", err)
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q (see -help)", flags.Arg(0))
	case *newKey != "" && *keyFile != "":
		return errors.New("-new-key and -key exclude each other (see -help)")
	case *newKey != "":
		return makeKey(*newKey, messages)
	case *keyFile == "" || *role == "" || *subject == "":
		return errors.New("either -new-key, or all of -key, -role and -subject are needed (see -help)")
	case *lifetime > longest:
		return fmt.Errorf("-for %s is too long: a token is valid for at most 366 days", *lifetime)
	}
	r, err := auth.ParseRole(*role)
	if err != nil {
		return err
	}
	caller := auth.Caller{Subject: *subject, Name: *name, Role: r}
	return issue(*keyFile, *audience, caller, *lifetime, w, out, messages)
}

// makeKey writes the private key first: a public key alone would be trusted and useless.
func makeKey(dir string, messages io.Writer) error {
	key, err := auth.NewKey()
	if err != nil {
		return err
	}
	private, err := auth.EncodePrivate(key)
	if err != nil {
		return err
	}
	public, err := auth.EncodePublic(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make key directory: %w", err)
	}
	for _, f := range []struct {
		name string
		text []byte
		mode os.FileMode
	}{{"private.pem", private, 0o600}, {"public.pem", public, 0o644}} {
		path := filepath.Join(dir, f.name)
		if err := writeNew(path, f.text, f.mode); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(messages, "wrote", path); err != nil {
			return fmt.Errorf("tell what was written: %w", err)
		}
	}
	return nil
}

// writeNew never overwrites: a lost private key is a lost installation for its callers.
func writeNew(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists: remove it first if it is really to be replaced", path)
	}
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

func issue(
	keyFile, audience string, c auth.Caller, lifetime time.Duration, w world.World, out, messages io.Writer,
) error {
	text, err := os.ReadFile(keyFile)
	if err != nil {
		return fmt.Errorf("read key: %w", err)
	}
	key, err := auth.ParsePrivate(text)
	if err != nil {
		return fmt.Errorf("%s: %w", keyFile, err)
	}
	token, err := auth.Issuer{Key: key, Audience: audience, Clock: w, Rand: w}.Issue(c, lifetime)
	if err != nil {
		return err
	}
	until := w.Now().Add(lifetime).Format(time.RFC3339)
	_, errMessage := fmt.Fprintf(messages, "for %s as %s until %s\n", c.Subject, c.Role, until)
	_, err = fmt.Fprintln(out, token)
	return errors.Join(err, errMessage)
}
