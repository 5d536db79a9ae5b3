# SPDX-License-Identifier: MIT
# turns.rb TURNS NAME COMMAND [NAME COMMAND]...: run the commands in turn, TURNS times each, so that a
# machine that is slow for a while is so for all, and then once more each for its memory. Before each
# one, what host/ holds of open disks is taken away, and $BEFORE is run if it is set; behind it, $OPENED
# disks must be open, and the status 0 or $STATUS. A line each:
#   NAME WALL LAST CPU RSS PSS OWN
# milliseconds to its end, to the last disk open, of processor time with its children's; kilobytes of all
# its processes at the peak, shared pages counted in each or once, and of the first process alone.
require 'fileutils'

OPENED = ENV.fetch('OPENED').to_i
TICK = 0.01

def cpu
  t = Process.times
  t.cutime + t.cstime
end

def start(command)
  Dir.glob('host/*/dm-*').each { |d| FileUtils.rm_rf(d) }
  system(ENV['BEFORE'], exception: true) if ENV['BEFORE']
  before = [Process.clock_gettime(Process::CLOCK_MONOTONIC), Time.now, cpu]
  [Process.spawn(command, out: 'turn.out', err: 'turn.err'), *before]
end

def judge(command, status)
  opened = Dir.glob('host/*/dm-*/dm/name').size
  return if [0, ENV['STATUS'].to_i].include?(status.exitstatus) && opened == OPENED

  abort "turns: #{command}: #{status}, #{opened} disks open, not #{OPENED}\n#{File.read('turn.err')}"
end

def turn(command)
  pid, began, real, cpu_before = start(command)
  _, status = Process.wait2(pid)
  wall = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
  judge(command, status)
  last = Dir.glob('host/*/dm-*/dm/name').map { |f| File.mtime(f) }.max
  [wall, last ? last - real : 0, cpu - cpu_before].map { |s| s * 1000 }
end

def tree(pid)
  [pid] + File.read("/proc/#{pid}/task/#{pid}/children").split.flat_map { |child| tree(child) }
rescue SystemCallError
  []
end

def sizes(pid)
  text = File.read("/proc/#{pid}/smaps_rollup")
  %w[Rss Pss].map { |name| text[/^#{name}: +(\d+)/, 1].to_i }
rescue SystemCallError
  [0, 0]
end

# The sum of all processes at its highest, and the first one's own highest.
def memory(command)
  pid, = start(command)
  peak = [0, 0, 0]
  until (done = Process.wait2(pid, Process::WNOHANG))
    all = tree(pid).map { |p| sizes(p) }
    now = [all.sum(&:first), all.sum(&:last), all.empty? ? 0 : all[0][0]]
    peak = peak.zip(now).map(&:max)
    sleep TICK
  end
  judge(command, done[1])
  peak
end

turns = ARGV.shift.to_i
commands = ARGV.each_slice(2).to_a
results = commands.map { [] }
turns.times { commands.each_with_index { |(_, command), i| results[i] << turn(command) } }
commands.each_with_index do |(name, command), i|
  medians = results[i].transpose.map { |values| values.sort[values.size / 2].round }
  puts [name, *medians, *memory(command)].join(' ')
end
