# Runs a program of the image with the rights of the set-up step, as `docker compose run --rm setup` does: a copy of the
# Job setup under a name of its own, gone a day after its end, with the labels by which the network knows the set-up step.
# It wants kubectl and jq.
#   bash deploy/kubernetes/as-setup.sh deploy/republish.ts --dry-run
set -euo pipefail
job=$(
  kubectl -n order-manager get job setup -o json |
    jq '{apiVersion, kind,
         metadata: {generateName: ($ARGS.positional[0] | sub(".*/"; "") | sub("[.]ts$"; "-"))},
         spec: {backoffLimit: 0, ttlSecondsAfterFinished: 86400,
                template: {metadata: {labels: (.spec.template.metadata.labels
                                               | with_entries(select(.key | startswith("app.kubernetes.io/"))))},
                           spec: (.spec.template.spec + {restartPolicy: "Never"}
                                  | .containers[0].command = ["node"] + $ARGS.positional)}}}' --args -- "$@" |
    kubectl -n order-manager create -f - -o name
)
echo "What it says: kubectl -n order-manager logs -f $job"
