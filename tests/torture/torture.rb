#!/usr/bin/env ruby
# SPDX-License-Identifier: MIT
# Cuts arver's key-changing commands everywhere and judges what is left. See README.md.
#
#   torture.rb --list                      the cases
#   torture.rb --case NAME [--at N] [--action A]   one case, or one cut of it
#   torture.rb --all                       every cut of every case
#   torture.rb --minutes M [--seed S]      random cuts, until the time is over
#   torture.rb --sample N [--seed S]       N random cuts, spread over all cases
#   with --jobs J (worlds at once, 2), --program PATH (another arver), --only REGEXP (cases)
require 'fileutils'
require 'json'
require 'optparse'
require 'socket'
require 'tmpdir'
require_relative 'pair'
require_relative 'trial'

# Hands out work to worlds, and counts.
class Torture
  TWICE = 40  # cuts of a case of side "twice", where all are asked for
  SLICES = 2  # so many worlds share a case
  IN_TURN = 'in turn'
  TOLD = 500  # after so many cuts a line tells how far it is

  def initialize(words)
    @jobs = 2
    @program = File.join(World::TOP, 'build/arver')
    @seed = Integer(ENV['SEED'] || Random.new_seed % 1_000_000)
    @counts = Hash.new { |counts, group| counts[group] = Hash.new(0) }
    @failed = []
    @mode = :all
    parse(words)
    @random = Random.new(@seed)
    @cases = known_cases
  end

  def run
    return list if @mode == :list
    return puts('skipped: needs root') || 0 unless Process.uid.zero?

    puts "seed #{@seed}"
    @began = now
    Dir.mktmpdir('arver-torture.', base_dir) { |dir| with_workers(dir) { |workers| serve(workers) } }
    show_counts
    @failed.empty? && total('passed').positive? ? 0 : 1
  end

  private

  def parse(words)
    OptionParser.new do |o|
      o.on('--list') { @mode = :list }
      o.on('--all') { @mode = :all }
      o.on('--minutes M', Float) { |m| (@minutes = m) && @mode = :minutes }
      o.on('--sample N', Integer) { |n| (@sample = n) && @mode = :sample }
      o.on('--case NAME') { |name| @case = name }
      o.on('--only REGEXP', Regexp) { |only| @only = only }
      o.on('--at N', /\A\d+(,\d+)?\z/) { |at| @at = at[0].split(',').map(&:to_i) }
      o.on('--action A') { |action| @action = action }
      o.on('--seed S', Integer) { |seed| @seed = seed }
      o.on('--jobs J', Integer) { |jobs| @jobs = jobs }
      o.on('--program PATH') { |path| @program = File.expand_path(path) }
    end.parse!(words)
    abort "what is #{words.first}?" unless words.empty?
  end

  def known_cases
    all = Cases.all + Pairs.all
    all = all.select { |kase| kase.name == @case } if @case
    all = all.select { |kase| kase.name =~ @only } if @only
    abort "no such case: #{@case || @only}" if all.empty?
    all.to_h { |kase| [kase.name, kase] }
  end

  def list
    puts @cases.keys
    0
  end

  def base_dir
    File.writable?('/dev/shm') ? '/dev/shm' : Dir.tmpdir
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # --- tasks: hashes with the name of a case, an action, and where to cut --------------------

  def tasks
    case @mode
    when :sample then sample.each
    when :minutes then Enumerator.produce { some_cuts(@cases.keys.sample(random: @random), 4) }
    else everything.each
    end
  end

  def everything
    @cases.values.flat_map do |kase|
      next [{ case: kase.name, ats: [@at], action: @action || kase.actions.first }] if @at
      next some_twice(kase) if %w[twice pair].include?(kase.side)

      (@action ? [@action] : kase.in_turn? ? [IN_TURN] : kase.actions - ['after']).flat_map do |action|
        (1..SLICES).map { |i| { case: kase.name, from: i, step: SLICES, action: action } }
      end
    end
  end

  def some_twice(kase)
    number = kase.side == 'pair' ? Pairs::OFFSETS : TWICE
    (1..number).each_slice((number + 1) / SLICES).map { |slice| some_cuts(kase.name, slice.size) }
  end

  # The same number of cuts in every case, each case in one world.
  def sample
    names = @cases.keys.shuffle(random: @random)
    names = names.first(@sample)
    each, more = @sample.divmod(names.size)
    names.each_with_index.map { |name, i| some_cuts(name, each + (i < more ? 1 : 0)) }
  end

  def some_cuts(name, number)
    { case: name, random: Array.new(number) do
      [@random.rand, @random.rand, @cases[name].actions.sample(random: @random)]
    end }
  end

  # --- workers: a process and a world each ----------------------------------------------------

  def with_workers(dir)
    World.make_admins(dir)
    workers = Array.new([@jobs, 1].max) { |i| start_worker(dir, i) }
    trap('TERM') { exit 130 }
    trap('INT') { exit 130 }
    yield workers.map(&:last)
  ensure
    workers&.each { |_, socket| socket.close }
    workers&.each { |pid, _| Process.wait(pid) }
  end

  def start_worker(dir, number)
    ours, theirs = UNIXSocket.pair
    pid = fork do
      ours.close
      %w[INT TERM].each { |signal| trap(signal) { exit 130 } }
      work(File.join(dir, number.to_s), dir, theirs)
    end
    theirs.close
    [pid, ours]
  end

  def work(dir, admins, socket)
    world = World.new(dir, admins, @program)
    trials = Hash.new(Trial.new(world)).merge('pair' => Pairs::Trial.new(world))
    loop do
      socket.puts 'next'
      line = socket.gets or break
      cuts_of(trials, JSON.parse(line)) { |outcome| socket.puts JSON.generate(outcome.to_h) }
    end
  rescue Errno::EPIPE, Errno::ECONNRESET
    nil
  ensure
    world&.close
    exit!(0)
  end

  def cuts_of(trials, task)
    kase = @cases.fetch(task['case'])
    trial = trials[kase.side]
    each_cut(trial, kase, task) do |at, action|
      outcome = trial.cut(kase, at, action)
      yield outcome
      outcome.result
    end
  rescue Wrong, RuntimeError => e
    yield Trial::Outcome.new(kase.name, nil, nil, 'failed', e.message)
  end

  def each_cut(trial, kase, task, &block)
    return task['ats'].each { |at| yield at, task['action'] } if task['ats']
    return random_cuts(trial, kase, task['random'], &block) if task['random']

    # Whether a half is to be done makes a difference to writes only.
    log = trial.length(kase)
    task['from'].step(by: task['step']) do |n|
      action = task['action'] == IN_TURN ? kase.actions[n % kase.actions.size] : task['action']
      next if action == 'tear' && log[n - 1] && log[n - 1] !~ / (p?writev?|send) /
      break if yield([n], action) == 'beyond'
    end
  end

  def random_cuts(trial, kase, cuts)
    length = trial.length(kase).size
    cuts.each do |first, second, action|
      at = [1 + (first * length).floor]
      at << 1 + (second * length).floor if kase.side == 'twice'
      yield at, action
    end
  end

  # --- the other end of the sockets -------------------------------------------------------------

  def serve(sockets)
    left = tasks
    until sockets.empty?
      IO.select(sockets).first.each do |socket|
        line = socket.gets or next sockets.delete(socket)
        line == "next\n" ? hand_out(socket, left, sockets) : count(JSON.parse(line))
      end
    end
  end

  def hand_out(socket, left, sockets)
    raise StopIteration if @minutes && now - @began > @minutes * 60

    socket.puts JSON.generate(left.next)
  rescue StopIteration
    socket.close_write
    sockets.delete(socket) if socket.gets.nil?
  end

  def count(outcome)
    verb, _, side = outcome['kase'].rpartition('-')
    @counts[[verb, side]][outcome['result']] += 1
    tell_progress(outcome) if outcome['result'] == 'passed'
    return unless outcome['result'] == 'failed'

    @failed << outcome
    puts "FAILED: #{repeat(outcome)}"
    puts "  at: #{outcome['call']}" if outcome['call']
    puts outcome['why'].to_s.gsub(/^/, '  | ')
    $stdout.flush
  end

  def tell_progress(outcome)
    n = total('passed')
    return unless (n % TOLD).zero?

    puts format('# %d cuts, %.2f s each; at %s', n, (now - @began) / n, outcome['kase'])
    $stdout.flush
  end

  def repeat(outcome)
    words = ['tests/torture/torture.rb', '--case', outcome['kase']]
    words.push('--at', outcome['at'], '--action', outcome['action']) if outcome['at']
    words.join(' ')
  end

  def total(result)
    @counts.values.sum { |count| count[result] }
  end

  def show_counts
    puts format('%-44s %-7s %7s %7s', 'verb, LUKS version, transport', 'side', 'passed', 'failed')
    @counts.sort.each do |(verb, side), count|
      puts format('%-44s %-7s %7d %7d', verb, side, count['passed'], count['failed'])
    end
    puts format('%.2f s a cut, with %d worlds', (now - @began) / [total('passed'), 1].max, @jobs)
    puts "#{total('passed')} passed, #{total('failed')} failed"
  end
end

exit Torture.new(ARGV).run if $PROGRAM_NAME == __FILE__
