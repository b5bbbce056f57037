#!/usr/bin/env bash
# A cluster of two nodes on this machine for tests: munged, slurmctld and a slurmd for each node, all on
# loopback, with files in one folder. No systemd, no configuration of the machine's own is read or changed.
#
#   slurm_cluster.sh start FOLDER      then: export SLURM_CONF=FOLDER/slurm.conf
#   slurm_cluster.sh stop FOLDER       ends all of them
#   slurm_cluster.sh controller-stop FOLDER | controller-start FOLDER
set -euo pipefail
action=$1
folder=$(realpath -m "$2")
export SLURM_CONF=$folder/slurm.conf

# Three ports in a row that nobody listens on.
free_ports() {
  local first
  for _ in $(seq 50); do
    first=$((20000 + RANDOM % 20000))
    if ! ss -Hltn "( sport >= $first and sport <= $((first + 2)) )" | grep -q .; then
      echo "$first"
      return
    fi
  done
  return 1
}

write_configuration() {
  local port user
  port=$(free_ports)
  user=$(id -un)
  mkdir -p "$folder/state" "$folder/n1" "$folder/n2" "$folder/log"
  chmod 700 "$folder/state"
  head -c 1024 /dev/urandom > "$folder/munge.key"
  chmod 400 "$folder/munge.key"
  cat > "$SLURM_CONF" <<CONF
ClusterName=petlab
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
# As quick as it can be: a test waits for each of these.
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
ReturnToService=2
KillWait=5
SlurmdTimeout=6
SlurmctldTimeout=10
MessageTimeout=3
InactiveLimit=0
MinJobAge=300
MaxArraySize=11
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname=$(hostname -s) Port=$((port + 1)) CPUs=1 RealMemory=1000 Gres=gpu:1
NodeName=n2 NodeAddr=127.0.0.1 NodeHostname=$(hostname -s) Port=$((port + 2)) CPUs=1 RealMemory=1000 Gres=gpu:1
PartitionName=main Nodes=ALL Default=YES MaxTime=1:00:00 PriorityTier=1 GraceTime=5
PartitionName=urgent Nodes=ALL MaxTime=1:00:00 PriorityTier=2 PreemptMode=off
CONF
  echo "NodeName=n[1-2] Name=gpu File=/dev/null" > "$folder/gres.conf"
}

start_controller() {
  slurmctld "$@" 2>> "$folder/log/slurmctld.err"
}

wait_for_nodes() {
  for _ in $(seq 200); do
    [ "$(sinfo -h -N -p main -t idle -o %N 2>> "$folder/log/sinfo.err" | wc -l)" = 2 ] && return
    sleep 0.05
  done
  tail -n 8 "$folder"/log/* >&2
  return 1
}

# end_process FILE TWENTIETHS: ends the process whose number is in the file, and waits until it is gone; after so
# many twentieths of a second it is killed.
end_process() {
  local pid
  [ -s "$1" ] || return 0
  pid=$(cat "$1")
  kill -CONT "$pid" 2> /dev/null && kill "$pid" 2> /dev/null || return 0
  for _ in $(seq "$2"); do
    kill -0 "$pid" 2> /dev/null || return 0
    sleep 0.05
  done
  kill -KILL "$pid" 2> /dev/null || true
}

case $action in
  start)
    write_configuration
    munged --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
      --log-file="$folder/log/munged.log" --seed-file="$folder/munged.seed" --num-threads=2 --force
    start_controller -c
    for node in n1 n2; do slurmd -N $node 2>> "$folder/log/slurmd.$node.err"; done
    wait_for_nodes
    ;;
  stop)
    for name in n1/slurmd n2/slurmd slurmctld munged; do end_process "$folder/$name.pid" 10; done
    ;;
  controller-stop) end_process "$folder/slurmctld.pid" 300 ;;
  controller-start) start_controller ;;
  *) echo "unknown action '$action'" >&2; exit 2 ;;
esac
