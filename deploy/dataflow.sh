#!/usr/bin/env bash
# Prepares a dataset on Google Cloud Dataflow. Copy it, change what is under "Settings", and run it.
#
#   deploy/dataflow.sh --project P --region R --bucket gs://B --input 'gs://B/texts/*.txt' --output gs://B/dataset \
#       [--image URL] [--machine TYPE] [--workers N] [--disk GB] [--flexrs] [--layout spans|pairs] \
#       [--gb N [--core-hour PRICE] [--memory-gb-hour PRICE] [--disk-gb-hour PRICE] [--store-gb-month PRICE]] \
#       [--dry-run] [-- OPTIONS OF textgen prepare]
#
# --gb is the size of the text. From it the script tells core-hours, by measured rates (docs/scaling.md), and with
# prices what they cost. --dry-run tells that and the command, and submits nothing. A job takes Spot machines by
# --flexrs alone: the service then mixes them with others, and begins each job of the preparation within six hours.
set -euo pipefail

# Settings
image=""          # made from deploy/Dockerfile; without one, workers install textgen when they start
machine=n2-standard-8
workers=20
disk=50           # GB; the image takes 5 of them
layout=spans

# Core-hours per GB of plain English text, cut into words, and GB on disk per GB of text: docs/scaling.md.
# shellcheck disable=SC2034 # They are read by the name of the layout.
rate_spans=0.021 rate_pairs=0.07 stored_spans=0.5 stored_pairs=23

project="" region="" bucket="" input="" output="" gb="" flexrs="" dry_run=""
core_hour="" memory_gb_hour="" disk_gb_hour="" store_gb_month=""

fail() {
  echo "error: $1" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
    --flexrs) flexrs=1; shift; continue ;;
    --dry-run) dry_run=1; shift; continue ;;
    --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; exit ;;
    --) shift; break ;;
    --project | --region | --bucket | --input | --output | --image | --machine | --workers | --disk | --layout | --gb | \
      --core-hour | --memory-gb-hour | --disk-gb-hour | --store-gb-month) ;;
    *) fail "$1 is not an option of this script. See --help; options of textgen prepare follow after --." ;;
  esac
  [ $# -gt 1 ] || fail "$1 needs a value."
  name=${1#--}
  printf -v "${name//-/_}" '%s' "$2"
  shift 2
done

for name in project region bucket input output; do
  [ -n "${!name}" ] || fail "--$name is missing. See --help."
done
for name in bucket input output; do
  case ${!name} in gs://*) ;; *) fail "--$name is ${!name}; it must be a URL of Google's store, as gs://bucket/folder." ;; esac
done
for name in workers disk gb core_hour memory_gb_hour disk_gb_hour store_gb_month; do
  [[ -z ${!name} || ${!name} =~ ^[0-9]+([.][0-9]+)?$ ]] || fail "--${name//_/-} is ${!name}; it must be a number."
done
case $layout in spans | pairs) ;; *) fail "--layout is $layout; it must be spans or pairs." ;; esac
cores=${machine##*-}
[[ $cores =~ ^[0-9]+$ ]] || fail "--machine is $machine; it must end in its number of cores, as n2-standard-8 does."

command=(
  textgen prepare --input "$input" --output "$output" --layout "$layout"
  --runner dataflow --project "$project" --region "$region"
  --temp_location "${bucket%/}/tmp" --staging_location "${bucket%/}/staging"
  --machine_type "$machine" --max_num_workers "$workers" --disk_size_gb "$disk"
)
[ -z "$image" ] || command+=(--sdk_container_image "$image")
[ -z "$flexrs" ] || command+=(--flexrs_goal COST_OPTIMIZED)
command+=("$@")

if [ -n "$gb" ]; then
  rate=rate_$layout stored=stored_$layout
  awk -v gb="$gb" -v rate="${!rate}" -v stored="${!stored}" -v cores="$cores" -v workers="$workers" -v disk="$disk" \
    -v core_hour="$core_hour" -v memory_hour="$memory_gb_hour" -v disk_hour="$disk_gb_hour" -v month="$store_gb_month" '
    BEGIN {
      hours = gb * rate
      machine_hours = hours / cores
      printf "%g GB of text: %.3g core-hours, %.3g hours of all %d machines at work\n", gb, hours, machine_hours / workers, workers
      cost = hours * core_hour + hours * 4 * memory_hour + machine_hours * disk * disk_hour
      if (core_hour != "") printf "workers: %.2f, with 4 GB of memory per core\n", cost
      printf "dataset: %.3g GB", gb * stored
      if (month != "") printf ", %.2f per month", gb * stored * month
      print ""
    }'
fi
printf '%q ' "${command[@]}"
echo
[ -n "$dry_run" ] || exec "${command[@]}"
