// Command bootstrap runs functions/tokens on AWS Lambda. It alone can write secrets.
package main

import (
	"net/http"

	"github.com/bookplate/bookplate/functions/tokens"
	"github.com/bookplate/bookplate/infra/cloud"
	"github.com/bookplate/bookplate/infra/lambda"
	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/queue/sqs"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
	"github.com/bookplate/bookplate/shared/vault/secretsmanager"
)

func main() {
	lambda.ServeHTTP(func(p lambda.Process) (http.Handler, error) {
		aws := cloud.Config(p)
		secrets := secretsmanager.New(aws, p.Env.SecretPrefix())
		secrets.Key = p.Env.Text(setting.KeyARN)
		return tokens.New(tokens.Config{
			Config: p.Door(),
			Store:  table.NewStore(dynamo.New(aws, p.Env.Text(setting.Table), p.World.Clock), p.World),
			Vault:  secrets,
			Queue:  sqs.New(aws, p.Env.Text(setting.Queue), p.World.Clock),
			Apple:  p.Apple(), Version: lambda.Version(), Host: p.Env.Text(setting.PublicURL),
		}), nil
	})
}
