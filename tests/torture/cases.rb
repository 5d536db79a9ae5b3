# SPDX-License-Identifier: MIT
# What can be tortured: a verb, the state that it begins from, the LUKS version, the way to the
# disk, and whose side is cut.
require_relative 'world'

# One of them; its name says all of it.
Case = Struct.new(:verb, :state, :actor, :words, :subject, :takes_away, :slots, :type, :transport,
                  :side, keyword_init: true) do
  def name
    "#{verb}-#{type}-#{transport}-#{side}"
  end

  def calls
    Cases::SIDES.fetch(side)[:calls]
  end

  def actions
    Cases::SIDES.fetch(side)[:actions]
  end

  # Where a run goes on with what a cut has left, each call fails in one of the ways, in turn: how a
  # fault is met does not depend on what lay there. A kill is tried everywhere.
  def in_turn?
    side == 'fault' && !Cases::FRESH.include?(verb)
  end

  # May the end of the second run be "refused", where all is done already?
  def refused_when_done?
    %w[create add-user add-user-again].include?(verb)
  end
end

# The table of them, and how each state is made.
module Cases
  module_function

  SIDES = {
    'admin' => { calls: 'file,device,send', actions: %w[kill tear after] },
    'server' => { calls: 'device', actions: %w[kill tear] },
    'wire' => { calls: 'send,recv', actions: %w[drop] },
    'twice' => { calls: 'file,device,send', actions: %w[kill] },
    'fault' => { calls: 'file,device', actions: %w[ENOSPC EIO EINTR +ENOSPC +EIO] }
  }.freeze
  REFRESH = { actor: 'bob', words: %w[--refresh colo], subject: 'bob', slots: [0, 1, 2] }.freeze
  VERBS = {
    'create' => { state: 'empty', actor: 'alice', words: %w[--create colo], subject: 'alice',
                  slots: [0] },
    'add-user' => { state: 'two', actor: 'alice', words: %w[--add-user bob colo], subject: 'bob',
                    slots: [0, 1, 2] },
    'add-user-again' => { state: 'emptied', actor: 'alice', words: %w[--add-user bob colo],
                          subject: 'bob', slots: [0, 1, 2] },
    'add-user-force' => { state: 'three', actor: 'alice', words: %w[--force --add-user bob colo],
                          subject: 'bob', slots: [0, 1, 2] },
    'del-user' => { state: 'three', actor: 'alice', words: %w[--del-user bob ALL], subject: 'bob',
                    takes_away: true, slots: [0, 2] },
    'del-user-force' => { state: 'spare', actor: 'alice', words: %w[--force --del-user bob ALL],
                          subject: 'bob', takes_away: true, slots: [0, 2] },
    'refresh' => { state: 'three', **REFRESH },
    'refresh-spare' => { state: 'spare', **REFRESH },
    'refresh-moved' => { state: 'moved', **REFRESH },
    'refresh-both' => { state: 'both', **REFRESH },
    'refresh-staged' => { state: 'staged', **REFRESH },
    'garbage-collect' => { state: 'files', actor: 'bob', words: %w[--garbage-collect],
                           subject: 'bob', slots: [0, 1, 2] },
    'garbage-collect-dead' => { state: 'dead', actor: 'bob', words: %w[--garbage-collect],
                                subject: 'bob', slots: [0, 1, 2] }
  }.freeze
  FRESH = %w[create add-user del-user refresh garbage-collect].freeze # from where no cut has been
  TYPES = %w[luks2 luks1].freeze
  SIDES_BY_TRANSPORT = { 'local' => %w[admin twice fault], 'ssh' => %w[admin server wire twice] }.freeze

  def all
    VERBS.flat_map do |name, verb|
      places(name).map do |type, transport, side|
        Case.new(verb: name, type: type, transport: transport, side: side, **verb)
      end
    end
  end

  # Collecting garbage contacts nobody, whatever the disk is.
  def places(verb)
    return TYPES.product(%w[local ssh], %w[admin twice fault]) if verb.start_with?('garbage-collect')

    TYPES.product(SIDES_BY_TRANSPORT.flat_map { |way, sides| [way].product(sides) })
         .map { |type, (way, side)| [type, way, side] }
  end

  # Make a state in the world, from the one it is built upon, and save it.
  def make(world, state, type)
    name = "#{state}-#{type}"
    return name if world.saved?(name)

    send("make_#{state}", world, type)
    world.save(name)
    name
  end

  def from(world, state, type)
    world.restore(make(world, state, type))
    world.transport('local', type)
  end

  def arver(world, admin, *words)
    run = world.run(admin, words)
    raise "#{words.join(' ')}: exit #{run.status}\n#{run.out}#{run.err}" unless run.status.zero?
  end

  def make_empty(world, type)
    world.lay_out(type)
  end

  def make_one(world, type)
    from(world, 'empty', type)
    arver(world, 'alice', '--create', 'colo')
  end

  # The one who is to be granted access is not among them.
  def make_two(world, type)
    from(world, 'one', type)
    arver(world, 'alice', '--add-user', 'carol', 'colo')
  end

  def make_three(world, type)
    from(world, 'two', type)
    arver(world, 'alice', '--add-user', 'bob', 'colo')
  end

  # Without carol, and with more than one key file each.
  def make_couple(world, type)
    from(world, 'one', type)
    arver(world, 'alice', '--add-user', 'bob', 'colo')
    more_files(world)
  end

  # All three, with more than one key file each.
  def make_crowd(world, type)
    from(world, 'three', type)
    more_files(world)
  end

  def more_files(world)
    World::SLOTS.each_key do |admin|
      next unless Dir.exist?(world.data('keys', admin))

      write_key(world, new_key, 1_500_000_000.5, '/colo/web1/elsewhere', admin: admin)
    end
  end

  # Bob has a key file, and an empty slot.
  def make_emptied(world, type)
    from(world, 'three', type)
    cryptsetup('luksKillSlot', '--batch-mode', world.image, '1')
  end

  # Bob's newest key is in a spare, an older one in his own slot.
  def make_spare(world, type)
    from(world, 'three', type)
    key = new_key
    add_key(world, key, spare(type))
    write_key(world, key, Time.now.to_f)
  end

  # The same, and his own slot is empty.
  def make_moved(world, type)
    from(world, 'spare', type)
    cryptsetup('luksKillSlot', '--batch-mode', world.image, '1')
  end

  # One key of his, in the spare and in his own slot.
  def make_both(world, type)
    from(world, 'moved', type)
    key = newest_key(world)
    add_key(world, key, 1)
  end

  # The key in the spare is not promoted yet.
  def make_staged(world, type)
    from(world, 'three', type)
    key = new_key
    add_key(world, key, spare(type))
    write_key(world, key, 0.0)
  end

  # Several key files: two grants, one file as the Ruby program writes it, one staged key.
  def make_files(world, type)
    from(world, 'three', type)
    arver(world, 'alice', '--force', '--add-user', 'bob', 'colo')
    write_key(world, new_key, 1_400_000_000.5)
    write_key(world, new_key, 1_500_000_000.5, '/colo/web1/elsewhere')
  end

  # Dead keys, and key files that came in since.
  def make_dead(world, type)
    from(world, 'three', type)
    2.times { arver(world, 'bob', '--refresh', 'colo') }
    4.times { |n| write_key(world, new_key, 1_500_000_000.5, "/colo/web1/elsewhere#{n}") }
  end

  def spare(type)
    type == 'luks1' ? 7 : 31
  end

  def new_key
    Base64.strict_encode64(SecureRandom.random_bytes(192))
  end

  def newest_key(world, admin = 'bob')
    StoredKeys.new(world.data('keys', admin), world.gnupg(admin)).chosen(World::PATH_OF_DISK)
  end

  # With alice's key, from hand to hand.
  def add_key(world, key, slot)
    alices = newest_key(world, 'alice')
    cryptsetup('luksAddKey', '--batch-mode', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations',
               '1000', '--key-file=-', "--keyfile-size=#{alices.bytesize}",
               "--new-keyfile-size=#{key.bytesize}", '--key-slot', slot.to_s, world.image, '-',
               input: alices + key)
  end

  def cryptsetup(*words, input: '')
    out, status = Open3.capture2e('cryptsetup', *words, stdin_data: input)
    raise "cryptsetup #{words.join(' ')}: #{out}" unless status.success?
  end

  def write_key(world, key, time, path = World::PATH_OF_DISK, admin: 'bob')
    ENV['GNUPGHOME'] = world.gnupg(admin)
    text = RubyKeys.plaintext('deflated', { path => { key: key, time: time } })
    RubyKeys.write_text(text, world.data, admin, world.fingerprint(admin))
  end
end
