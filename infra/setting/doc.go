// Package setting is how a function on AWS is told about its surroundings: environment variables, each declared once
// here with what it means. template.yaml sets them; a test holds the two together. What a caller may change at run time
// isn't a setting, and no secret is one: anybody who may look at a function sees its environment.
package setting
