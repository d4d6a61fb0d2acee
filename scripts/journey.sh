#!/usr/bin/env bash
# The journey of a booking, against the server at the address given, at $API, or at http://127.0.0.1:8000. README.md shows
# what begins with the parenthesis, word for word. Parentheses make it a shell of its own, so that what stops the journey stops nothing else.
case ${1:-} in
  -h | --help)
    printf '%s\n' 'Usage: npm run journey [-- address]' '' \
      'Books on the server at the address, or else at $API, or else at http://127.0.0.1:8000, and shows each answer.'
    exit ;;
  -*)
    printf "Unknown option '%s'. See --help.\n" "$1" >&2
    exit 1 ;;
esac
if [ $# -gt 1 ]; then
  printf "Unexpected argument '%s'. See --help.\n" "$2" >&2
  exit 1
fi
(
API=${1:-${API:-http://127.0.0.1:8000}} API=${API%/}
JSON='Content-Type: application/json'
EMAIL=ada.$(date +%s).$RANDOM@example.com # another one each time
PASSWORD='notes on the engine'
LATITUDE=51.5$RANDOM LONGITUDE=-0.1$RANDOM

# Sends a request and shows the answer; stops the journey where there is none, or where it is a refusal.
ask() {
  printf '\n%s\n' "$1"
  answer=$(curl -s --fail-with-body "${@:2}") && printf '%s\n' "$answer" && return
  [ -n "$answer" ] && stop "the server refuses it: $answer"
  stop "no answer from $API. Start the server with npm start, or name another address: npm run journey -- http://…"
}
# The first value of that name in the last answer.
value() { printf '%s' "$answer" | grep -o "\"$1\":[^,}]*" | head -n 1 | cut -d : -f 2- | tr -d '"'; }
stop() { printf 'The journey stops here: %s\n' "$1" >&2; exit 1; }

ask 'Sign up, with a place to search around' "$API/users/" -H "$JSON" -d '{
  "name": "Ada Lovelace", "email": "'"$EMAIL"'", "password": "'"$PASSWORD"'",
  "location_latitude": '"$LATITUDE"', "location_longitude": '"$LONGITUDE"' }'
AS="Authorization: Bearer $(value access_token)" # says who you are from now on

ask 'Create an event with two places' "$API/events/" -H "$AS" -H "$JSON" -d '{
  "title": "Night of the Analytical Engine", "total_tickets": 2,
  "start_time": "2099-06-01T19:00:00Z", "end_time": "2099-06-01T22:00:00Z",
  "venue": { "address": "Around the corner", "latitude": '"$LATITUDE"', "longitude": '"$LONGITUDE"' } }'
EVENT=$(value id)

ask 'Find what is within 30 km, nearest first' "$API/users/for-you/?max_distance_km=30&limit=3" -H "$AS"
[ "$(value id)" = "$EVENT" ] || stop "event $EVENT is not the nearest one."

KEY="Idempotency-Key: $(date +%s)-$RANDOM" # with a key a request can be sent again
ask 'Reserve a ticket' "$API/tickets/" -H "$AS" -H "$JSON" -H "$KEY" -d '{ "event_id": '"$EVENT"' }'
TICKET=$(value id)
ask 'Send that again, as if the answer had been lost' "$API/tickets/" -H "$AS" -H "$JSON" -H "$KEY" -d '{ "event_id": '"$EVENT"' }'
[ "$(value id)" = "$TICKET" ] || stop "ticket $TICKET was reserved twice."

ask 'Pay within two minutes' -X POST "$API/tickets/$TICKET/pay" -H "$AS"

ask 'Sign in again: a token ends after 15 minutes' "$API/auth/token" \
  -d grant_type=password -d "username=$EMAIL" -d "password=$PASSWORD"
AS="Authorization: Bearer $(value access_token)"

ask 'See the ticket' "$API/tickets/$TICKET" -H "$AS"
[ "$(value status)" = paid ] || stop "ticket $TICKET is not paid."
)
