//go:build aws

package emulators

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamo "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	messaging "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"gopkg.in/yaml.v3"
)

// template is what the emulators need of template.yaml.
type template struct {
	Resources struct {
		Table struct {
			Properties struct {
				BillingMode            string      `yaml:"BillingMode"`
				KeySchema              []keySchema `yaml:"KeySchema"`
				AttributeDefinitions   []attribute `yaml:"AttributeDefinitions"`
				GlobalSecondaryIndexes []struct {
					IndexName  string      `yaml:"IndexName"`
					KeySchema  []keySchema `yaml:"KeySchema"`
					Projection struct {
						ProjectionType string `yaml:"ProjectionType"`
					} `yaml:"Projection"`
				} `yaml:"GlobalSecondaryIndexes"`
				TimeToLiveSpecification struct {
					AttributeName string `yaml:"AttributeName"`
					Enabled       bool   `yaml:"Enabled"`
				} `yaml:"TimeToLiveSpecification"`
			} `yaml:"Properties"`
		} `yaml:"Table"`
		Wakes     queue `yaml:"Wakes"`
		DeadWakes queue `yaml:"DeadWakes"`
	} `yaml:"Resources"`
}

type keySchema struct {
	AttributeName string `yaml:"AttributeName"`
	KeyType       string `yaml:"KeyType"`
}

type attribute struct {
	AttributeName string `yaml:"AttributeName"`
	AttributeType string `yaml:"AttributeType"`
}

type queue struct {
	Properties struct {
		VisibilityTimeout      int `yaml:"VisibilityTimeout"`
		MessageRetentionPeriod int `yaml:"MessageRetentionPeriod"`
		RedrivePolicy          struct {
			MaxReceiveCount int `yaml:"maxReceiveCount"`
		} `yaml:"RedrivePolicy"`
	} `yaml:"Properties"`
}

func load(t testing.TB) template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var loaded template
	if err := yaml.Unmarshal(text, &loaded); err != nil {
		t.Fatal(err)
	}
	return loaded
}

// Table makes the template's table under that name, its expiry switched on.
func Table(t testing.TB, cfg aws.Config, name string) {
	t.Helper()
	p := load(t).Resources.Table.Properties
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamo.BillingMode(p.BillingMode), KeySchema: schema(p.KeySchema),
	}
	for _, a := range p.AttributeDefinitions {
		in.AttributeDefinitions = append(in.AttributeDefinitions, dynamo.AttributeDefinition{
			AttributeName: aws.String(a.AttributeName), AttributeType: dynamo.ScalarAttributeType(a.AttributeType),
		})
	}
	for _, i := range p.GlobalSecondaryIndexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, dynamo.GlobalSecondaryIndex{
			IndexName: aws.String(i.IndexName), KeySchema: schema(i.KeySchema),
			Projection: &dynamo.Projection{ProjectionType: dynamo.ProjectionType(i.Projection.ProjectionType)},
		})
	}
	client := dynamodb.NewFromConfig(cfg)
	if _, err := client.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: &name, TimeToLiveSpecification: &dynamo.TimeToLiveSpecification{
			AttributeName: aws.String(p.TimeToLiveSpecification.AttributeName),
			Enabled:       aws.Bool(p.TimeToLiveSpecification.Enabled),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func schema(keys []keySchema) []dynamo.KeySchemaElement {
	var elements []dynamo.KeySchemaElement
	for _, k := range keys {
		elements = append(elements, dynamo.KeySchemaElement{
			AttributeName: aws.String(k.AttributeName), KeyType: dynamo.KeyType(k.KeyType),
		})
	}
	return elements
}

// Queues makes the template's queue of wakes and its dead-letter queue under those names, and returns their URLs.
func Queues(t testing.TB, cfg aws.Config, name string) (wakes, dead string) {
	t.Helper()
	resources := load(t).Resources
	client := sqs.NewFromConfig(cfg)
	dead = makeQueue(t, client, name+"-dead", resources.DeadWakes, "")
	arn, err := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &dead, AttributeNames: []messaging.QueueAttributeName{messaging.QueueAttributeNameQueueArn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return makeQueue(t, client, name, resources.Wakes, arn.Attributes["QueueArn"]), dead
}

func makeQueue(t testing.TB, client *sqs.Client, name string, q queue, deadARN string) string {
	t.Helper()
	attributes := map[string]string{"MessageRetentionPeriod": strconv.Itoa(q.Properties.MessageRetentionPeriod)}
	if seconds := q.Properties.VisibilityTimeout; seconds > 0 {
		attributes["VisibilityTimeout"] = strconv.Itoa(seconds)
	}
	if deadARN != "" {
		most := strconv.Itoa(q.Properties.RedrivePolicy.MaxReceiveCount)
		attributes["RedrivePolicy"] = `{"deadLetterTargetArn":"` + deadARN + `","maxReceiveCount":` + most + `}`
	}
	made, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return *made.QueueUrl
}
