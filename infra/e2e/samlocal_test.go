//go:build aws && samlocal

package e2e

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/infra/sam"
)

// TestServe is no test: it is `make sam-local`. It runs the SAM CLI's own gateway, whose functions are Docker's containers,
// on the emulators, until it is interrupted.
func TestServe(t *testing.T) {
	const name = "bookplate-local"
	template, err := sam.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	dynamodb, moto := emulators.DynamoDBLocal(t), emulators.Moto(t)
	emulators.Table(t, dynamodb, name)
	wakes, _ := emulators.Queues(t, moto, name)
	database, rest := forward(t, *dynamodb.BaseEndpoint), forward(t, *moto.BaseEndpoint)
	all := map[string]map[string]string{}
	for _, f := range template.Functions {
		all[f.ID] = map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": database, "AWS_ENDPOINT_URL_SQS": rest, "AWS_ENDPOINT_URL_SECRETS_MANAGER": rest,
			"BOOKPLATE_TABLE": name, "BOOKPLATE_QUEUE": wakes, "BOOKPLATE_PUBLIC_KEYS": os.Getenv("BOOKPLATE_PUBLIC_KEYS"),
			"BOOKPLATE_SCIM_TOKEN_HASH": os.Getenv("BOOKPLATE_SCIM_TOKEN_HASH"),
		}
		for variable := range all[f.ID] {
			if _, set := f.Environment[variable]; !set && strings.HasPrefix(variable, "BOOKPLATE_") {
				delete(all[f.ID], variable)
			}
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(t.TempDir(), "env.json")
	if err := os.WriteFile(env, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(filepath.Join("..", "..", ".cache", "sam", "bin", "sam"), "local", "start-api",
		"--template", filepath.Join("..", "..", ".aws-sam", "build", "template.yaml"), "--env-vars", env,
		"--add-host", hostName+":host-gateway")
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=madeup", "AWS_SECRET_ACCESS_KEY=made-up", "AWS_REGION=eu-central-1")
	if err := command.Run(); err != nil {
		t.Fatal(err)
	}
}

// hostName is what containers call the machine that they run on.
const hostName = "host.docker.internal"

// forward lets containers reach an emulator, which listens on loopback only. It listens on the bridge's address where there
// is one (Linux), so that nobody else on the network does; elsewhere Docker leads containers to loopback.
func forward(t *testing.T, to string) string {
	out, err := exec.Command("docker", "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}").Output()
	if err != nil {
		t.Fatalf("this needs Docker, and it doesn't answer: %v", err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(strings.TrimSpace(string(out)), "0"))
	if err != nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go pipe(from, strings.TrimPrefix(to, "http://"))
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return "http://" + net.JoinHostPort(hostName, port)
}

func pipe(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	go func() { _, _ = io.Copy(to, from) }()
	_, _ = io.Copy(from, to)
}
