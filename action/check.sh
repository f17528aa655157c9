#!/usr/bin/env bash
# Runs the program, and hands its reports to the runner.
#
# All that the workflow says comes in by the environment. What the program prints is text of the
# change under check: commands are switched off around it, and annotations come from a report whose
# lines are commands by construction.
set -euo pipefail

# shellcheck source=action/lib.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"

boolean() {
    case "$2" in
        true | false) ;;
        *) fail "the input \`$1\` is \`$2\`: write \`true\` or \`false\`" ;;
    esac
}
boolean annotations "$TIDEWAITER_ANNOTATIONS"
boolean summary "$TIDEWAITER_SUMMARY"
boolean fail "$TIDEWAITER_FAIL"

folder=$(private_folder)
reports=$folder/reports
mkdir "$reports"
json=$folder/report.json
annotations=$folder/annotations.txt
markdown=$folder/summary.md
sarif_path=""
json_path=""

arguments=(check --color=never --format=human)
arguments+=("--output=json=$(native_path "$json")")
arguments+=("--output=annotations=$(native_path "$annotations")")
arguments+=("--output=markdown=$(native_path "$markdown")")

line_break=$'\n'
while IFS= read -r format; do
    case "$format" in
        "") continue ;;
        sarif) file=tidewaiter.sarif ;;
        json) file=tidewaiter.json ;;
        markdown) file=tidewaiter.md ;;
        human) file=tidewaiter.txt ;;
        *) fail "the input \`formats\` has \`$format\`: write \`sarif\`, \`json\`, \`markdown\` or \`human\`" ;;
    esac
    path=$(native_path "$reports/$file")
    arguments+=("--output=$format=$path")
    case "$format" in
        sarif) sarif_path=$path ;;
        json) json_path=$path ;;
    esac
done < <(printf '%s\n' "${TIDEWAITER_FORMATS//[,[:space:]]/$line_break}")

if [ -n "$TIDEWAITER_CONFIG" ]; then arguments+=("--config=$TIDEWAITER_CONFIG"); fi
if [ -n "$TIDEWAITER_KUBERNETES" ]; then arguments+=("--kubernetes=$TIDEWAITER_KUBERNETES"); fi
if [ -n "$TIDEWAITER_ENVIRONMENT" ]; then arguments+=("--environment=$TIDEWAITER_ENVIRONMENT"); fi
# Where the summary links to.
address="${GITHUB_SERVER_URL:-}/${GITHUB_REPOSITORY:-}"
if [[ $address =~ ^https?://[A-Za-z0-9.:-]+/[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] && [[ ${GITHUB_SHA:-} =~ ^[0-9a-f]{40,64}$ ]]; then
    arguments+=("--source-url=$address/blob/$GITHUB_SHA")
fi

paths=()
while IFS= read -r path || [ -n "$path" ]; do
    path=${path%$'\r'}
    if [ "$path" = - ]; then fail "the input \`path\` is \`-\`: name files and folders"; fi
    if [ -n "$path" ]; then paths+=("$path"); fi
done < <(printf '%s' "$TIDEWAITER_PATH")
if [ "${#paths[@]}" -eq 0 ]; then paths=(.); fi

cd "$GITHUB_WORKSPACE"
word=$(random_word)
printf '::stop-commands::%s\n' "$word"
code=0
"$TIDEWAITER_BINARY" "${arguments[@]}" -- "${paths[@]}" </dev/null 2>&1 || code=$?
printf '\n::%s::\n' "$word"

output exit-code "$code"
if [ "$code" -gt 2 ] || ! [ -s "$json" ]; then
    fail "nothing was judged; the log says why (exit code $code)"
fi

# Keys stand at the start of their lines, and no text of a report holds a line break.
number() {
    LC_ALL=C sed -n "s/^    \"$1\": \([0-9][0-9]*\),\{0,1\}\$/\1/p" "$json"
}
# Counts the items of a list by their first lines.
items() {
    LC_ALL=C awk -v list="$2\"$1\": [" -v item="$2  {" '
        index($0, list) == 1 { within = ($0 == list) }
        within && $0 == item { items++ }
        within && index($0, substr(list, 1, match(list, /"/) - 1) "]") == 1 { exit }
        END { print items + 0 }
    ' "$json"
}
output denied "$(number denied)"
output warned "$(number warned)"
output failures "$(items failures '  ')"
output not-judged "$(items notJudged '    ')"
output sarif "$sarif_path"
output json "$json_path"
output reports "$(native_path "$reports")"

if "$TIDEWAITER_ANNOTATIONS"; then cat "$annotations"; fi

# A token that can only read cannot upload a report.
reason=""
case "${GITHUB_EVENT_NAME:-}" in
    pull_request | pull_request_review | pull_request_review_comment)
        if [ "$TIDEWAITER_HEAD_REPOSITORY" != "$GITHUB_REPOSITORY" ]; then
            reason="This pull request comes from a fork"
        elif [ "${GITHUB_ACTOR:-}" = "dependabot[bot]" ]; then
            reason="This pull request comes from Dependabot"
        fi
        ;;
    pull_request_target)
        warning "this workflow runs on pull_request_target, which gives a change the rights of the repository; pull_request is all that is needed"
        ;;
esac
if [ -n "$reason" ]; then
    output can-upload false
    reason="$reason, so the token can only read and the SARIF report cannot be uploaded"
    notice "$reason; annotations and the summary of the job stand in for it"
else
    output can-upload true
fi

if "$TIDEWAITER_SUMMARY" && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    cat "$markdown" >>"$GITHUB_STEP_SUMMARY"
    if [ -n "$reason" ]; then
        printf '\n%s; this summary and the annotations stand in for it.\n' "$reason" >>"$GITHUB_STEP_SUMMARY"
    fi
fi

if "$TIDEWAITER_FAIL"; then exit "$code"; fi
