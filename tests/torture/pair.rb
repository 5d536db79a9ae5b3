# SPDX-License-Identifier: MIT
# Two admins at once: each has a clone of the data directory, both change one disk. The first is held
# up at one of his calls while the second runs; then their key files are put together, as a merge
# does it, the judge looks, and both commands are run again, one after the other.
require_relative 'trial'

# Two verbs, and who runs them.
Pair = Struct.new(:first, :second, :type, :transport, keyword_init: true) do
  def name
    "#{first}+#{second}-#{type}-#{transport}-pair"
  end

  def side
    'pair'
  end

  def actions
    ['pause']
  end

  def verbs
    [first, second]
  end

  def admins
    return %w[alice carol] if verbs == %w[force-bob force-bob]

    second == 'force-bob' ? %w[bob alice] : %w[alice bob]
  end

  def state
    verbs.include?('add-carol') ? 'couple' : 'crowd'
  end

  def words(which)
    Pairs::VERBS.fetch(verbs[which])
  end

  # Whose slots may change.
  def subjects
    verbs.zip(admins).map do |verb, admin|
      verb.end_with?('-carol') ? 'carol' : { 'force-bob' => 'bob' }.fetch(verb, admin)
    end
  end

  def loser
    'carol' if verbs.include?('del-carol')
  end

  # Who has access once both were run again, in this order.
  def slots
    last = verbs.grep(/-carol/).last
    last == 'del-carol' ? [0, 1] : [0, 1, 2]
  end
end

# All pairs, and the trial of one.
module Pairs
  VERBS = {
    'add-carol' => %w[--add-user carol colo], 'force-bob' => %w[--force --add-user bob colo],
    'del-carol' => %w[--del-user carol colo], 'refresh' => %w[--refresh colo],
    'garbage-collect' => %w[--garbage-collect], 'verify' => %w[--verify colo]
  }.freeze
  OFFSETS = 6 # cuts of each pair, where all are asked for
  PAUSE_MS = 200
  CLONES = %w[data data.b].freeze

  def self.all
    VERBS.keys.product(VERBS.keys, Cases::TYPES, %w[local ssh]).map do |first, second, type, way|
      Pair.new(first: first, second: second, type: type, transport: way)
    end
  end

  # One pair, held up somewhere.
  class Trial < Trial
    def cut(pair, at, action)
      length(pair)
      outcome = Outcome.new(pair.name, Array(at).join(','), action, 'passed')
      before = begin_from(pair)
      runs = run_both(pair, Array(at).first)
      outcome.call = runs[0].log[Array(at).first - 1]
      return outcome.tap { outcome.result = 'beyond' } if runs[0].cuts.zero?

      judge_both(pair, before, runs)
      again(pair, before)
      outcome
    rescue Wrong, RuntimeError => e
      outcome.result = 'failed'
      outcome.why = [e.message, *@story].join("\n")
      outcome
    end

    private

    # The first alone.
    def measure(pair)
      begin_from(pair)
      tell(@world.run(pair.admins[0], pair.words(0), cut: cut_settings(0))).log
    end

    def begin_from(pair)
      before = super
      FileUtils.cp_r(@world.data, @world.at('live/data.b'), preserve: true)
      @base = files('data')
      before
    end

    def cut_settings(at)
      { 'CUT_CALLS' => 'file,device,send', 'CUT_AT' => at.to_s, 'CUT_ACTION' => 'pause',
        'CUT_PAUSE' => "#{PAUSE_MS}:#{@world.at('pause')}" }
    end

    def run_both(pair, at)
      FileUtils.rm_f([@world.at('pause.paused'), @world.at('pause.go')])
      started = @world.start(pair.admins[0], pair.words(0), cut: cut_settings(at))
      first = Thread.new { @world.finish(started) }
      sleep 0.002 until !first.alive? || File.exist?(@world.at('pause.paused'))
      second = @world.run(pair.admins[1], pair.words(1), clone: 'data.b')
      FileUtils.touch(@world.at('pause.go'))
      [tell(first.value), tell(second)].tap { merge }
    end

    # Key files by name, of one clone.
    def files(clone)
      keys = @world.at('live', clone, 'keys')
      World::SLOTS.keys.flat_map { |admin| Dir.glob("#{admin}/*", base: keys) }
    end

    # What either added is there, what either removed is not.
    def merge
      mine, other = CLONES.map { |clone| files(clone) }
      removed = (@base - mine) | (@base - other)
      all = (mine | other) - removed
      from = all.to_h { |name| [name, mine.include?(name) ? 'data' : 'data.b'] }
      CLONES.each { |clone| make_equal(clone, from) }
      @base = files('data')
    end

    def make_equal(clone, from)
      keys = ->(of, name) { @world.at('live', of, 'keys', name) }
      (files(clone) - from.keys).each { |name| FileUtils.rm(keys.call(clone, name)) }
      from.each do |name, of|
        next if of == clone || File.exist?(keys.call(clone, name))

        FileUtils.mkdir_p(File.dirname(keys.call(clone, name)))
        FileUtils.cp(keys.call(of, name), keys.call(clone, name))
      end
    end

    def judge_both(pair, before, runs)
      now = @judge.look
      @judge.judge(before, now, loser: pair.loser)
      @judge.others_untouched(before, now, *pair.subjects)
      runs.each_with_index do |run, i|
        @judge.no_secret_in(run, before, now)
        promise(pair, i, now) if run.status.zero?
      end
      now
    end

    # Exit 0 is true, where the other one does not do the opposite.
    def promise(pair, which, now)
      return if pair.verbs.sort == %w[add-carol del-carol]

      subject = pair.subjects[which]
      gone = pair.verbs[which] == 'del-carol'
      return if now.access?(subject) != gone || (!gone && subject == pair.loser)

      raise Wrong, "exit 0 of #{pair.verbs[which]}, but #{subject} #{gone ? 'still' : 'cannot'} open it"
    end

    def again(pair, before)
      [0, 1].each do |which|
        run = run_again(pair, which)
        now = judge_both(pair, before, [])
        raise Wrong, "run again, it exits #{run.status}" unless run.status.zero? || done?(pair, which, run, now)

        promise(pair, which, now) if run.status.zero? && which == 1
      end
      @judge.clean(@judge.look, pair.slots)
    end

    def run_again(pair, which)
      words = pair.words(which)
      run = tell(@world.run(pair.admins[which], words, clone: CLONES[which]))
      merge
      return run unless run.out.include?('--force makes a new key')

      run = tell(@world.run(pair.admins[which], ['--force', *words], clone: CLONES[which]))
      merge
      run
    end

    def done?(pair, which, run, now)
      pair.verbs[which] == 'add-carol' && run.status == 5 && now.opened('carol') == [World::SLOTS['carol']]
    end
  end
end
