// Command bootstrap runs functions/books on AWS Lambda. It is given the reading half of the table's engine.
package main

import (
	"context"
	"net/http"

	"github.com/bookplate/bookplate/functions/books"
	"github.com/bookplate/bookplate/infra/cloud"
	"github.com/bookplate/bookplate/infra/lambda"
	"github.com/bookplate/bookplate/infra/setting"
	"github.com/bookplate/bookplate/shared/apple"
	"github.com/bookplate/bookplate/shared/directory"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/table/dynamo"
)

func main() {
	lambda.ServeHTTP(func(p lambda.Process) (http.Handler, error) {
		engine := dynamo.NewReader(cloud.Config(p), p.Env.Text(setting.Table), p.World.Clock)
		store := table.NewReadStore(engine, p.World)
		service := p.Apple()
		return books.New(books.Config{
			Config: p.Door(), Store: store, Directory: directory.NewReader(store),
			Invitation: func(ctx context.Context, inviteCode string) (string, error) {
				config, err := service.Config(ctx)
				if err != nil {
					return "", err
				}
				return apple.InvitationURL(config, inviteCode)
			},
		}), nil
	})
}
