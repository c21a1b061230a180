#!/usr/bin/env bash
# The two steps of the action: `look` asks the account once and keeps what it said; `judge` fails where that is too bad.
set -euo pipefail

evidence=$RUNNER_TEMP/crownkeep-evidence.json
sarif=$RUNNER_TEMP/crownkeep.sarif
accepted=()
if [ -n "${BASELINE:-}" ]; then
    accepted=(--baseline "$BASELINE")
fi

case "${1:-}" in
look)
    asked=()
    if [ -n "${ENDPOINT_URL:-}" ]; then
        asked=(--endpoint-url "$ENDPOINT_URL")
    fi
    rm -f "$evidence"
    crownkeep audit "${asked[@]}" "${accepted[@]}" --save "$evidence" --format sarif >"$sarif"
    echo "sarif=$sarif" >>"$GITHUB_OUTPUT"
    {
        echo '### Crownkeep audit'
        echo '```'
        COLUMNS=140 crownkeep audit --from "$evidence" "${accepted[@]}"
        echo '```'
    } >>"$GITHUB_STEP_SUMMARY"
    ;;
judge)
    failing=()
    if [ -n "${FAIL_ON:-}" ]; then
        failing=(--fail-on "$FAIL_ON")
    fi
    crownkeep audit --from "$evidence" "${accepted[@]}" "${failing[@]}"
    ;;
*)
    echo "say look or judge" >&2
    exit 2
    ;;
esac
