// Package sam reads template.yaml, as far as tests hold the code to it and play the services in front of the functions. It
// isn't AWS SAM: it knows the few forms that this one template uses.
package sam
