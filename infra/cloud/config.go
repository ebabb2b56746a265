package cloud

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/bookplate/bookplate/infra/lambda"
)

// Config leads the SDK's clients to AWS. Making it, and clients of it, sends nothing.
func Config(p lambda.Process) aws.Config {
	return aws.Config{
		Region:        os.Getenv("AWS_REGION"),
		Credentials:   aws.CredentialsProviderFunc(credentials),
		ConfigSources: []any{endpoints{}},
		APIOptions:    recorded(p.Log),
	}
}

// credentials are those of the function's role. Lambda renews them by renewing the process.
func credentials(context.Context) (aws.Credentials, error) {
	c := aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment",
	}
	if !c.HasKeys() {
		return c, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; Lambda sets them")
	}
	return c, nil
}

// endpoints obeys the SDK's standard variables for services elsewhere, e.g. AWS_ENDPOINT_URL_DYNAMODB for an emulator's.
type endpoints struct{}

// GetServiceBaseEndpoint is what the SDK asks its sources of configuration.
func (endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	at := os.Getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(sdkID, " ", "_")))
	return at, at != "", nil
}
