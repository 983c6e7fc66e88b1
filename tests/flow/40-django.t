#!/bin/sh
# A real site: Django with a database, migrations, static files and a
# server process, pushed four times and rolled back, asked over HTTP.

. "$(dirname "$0")/../lib.sh"

# The one of the system, as a deployed command finds it.
plain_path=/usr/local/bin:/usr/bin:/bin
env -i PATH=$plain_path "$python" -c 'import django' 2>/dev/null ||
    skip_all "there is no Django for $python"

make_site
extras=yes
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET
    ->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport')
config <<EOF
shared = data/
env.DJANGO_PORT = $port
env.PYTHONDONTWRITEBYTECODE = 1

[action check]
phase = test
run = $python manage.py check

[action static]
phase = build
run = $python manage.py collectstatic --noinput -v 0

[action setup]
phase = migrate
directive = setup
run = $python manage.py migrate --noinput

[action updb]
phase = migrate
directive = updb
once = yes
record = $python manage.py showmigrations --plan
run = $python manage.py migrate --noinput
undo = $python deploy/undo.py

[action server]
phase = restart
run = sh deploy/restart

[action answers]
phase = verify
run = sh deploy/check
EOF

# The project. Its settings find the database beside the release.
put manage.py "import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
execute_from_command_line(sys.argv)"
put shop/__init__.py ""
put shop/settings.py "from pathlib import Path
BASE = Path(__file__).resolve().parent.parent
SECRET_KEY = 'only for a test'
DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1']
INSTALLED_APPS = ['django.contrib.staticfiles', 'catalogue']
MIDDLEWARE = []
ROOT_URLCONF = 'shop.urls'
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3',
    'NAME': BASE / 'data' / 'site.db'}}
DEFAULT_AUTO_FIELD = 'django.db.models.AutoField'
STATIC_URL = '/static/'
STATIC_ROOT = BASE / 'static'
STATICFILES_DIRS = [BASE / 'assets']
USE_TZ = True"
put shop/urls.py "from django.urls import path
from catalogue import views
urlpatterns = [path('', views.index)]"
put assets/site.css "body { color: black }"
put catalogue/__init__.py ""
put catalogue/migrations/__init__.py ""
put catalogue/models.py "from django.db import models

class Item(models.Model):
    name = models.CharField(max_length=40)"
put catalogue/views.py "from django.http import HttpResponse
from .models import Item

def index(request):
    names = ' '.join(i.name for i in Item.objects.order_by('id'))
    return HttpResponse('version 1: ' + names + '\n')"
put catalogue/migrations/0001_initial.py "from django.db import migrations, models

def first(apps, schema_editor):
    apps.get_model('catalogue', 'Item').objects.create(name='boat')

class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(name='Item', fields=[
            ('id', models.AutoField(primary_key=True, serialize=False)),
            ('name', models.CharField(max_length=40))]),
        migrations.RunPython(first, migrations.RunPython.noop),
    ]"
put .gitignore "__pycache__/"
# Back to the last migration that the record from before the step shows.
put deploy/undo.py "import os, subprocess, sys

done = [line.split()[-1] for line in open(os.environ['SLIPWAY_RECORD'])
        if line.startswith('[X]')]
last = ([name for name in done if name.startswith('catalogue.')]
        or ['catalogue.zero'])[-1]
sys.exit(subprocess.call([sys.executable, 'manage.py', 'migrate',
    '--noinput', 'catalogue', last.split('.', 1)[1]]))"
script deploy/restart <<'EOF'
#!/bin/sh
# Stop the server whose number was written down, start one on "current".
pid_file=$SLIPWAY_SHARED/data/server.pid
if [ -s "$pid_file" ]; then
	pid=$(cat "$pid_file")
	kill "$pid" 2>/dev/null
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
cd "$(readlink -f "$SLIPWAY_CURRENT")" || exit 1
setsid /usr/bin/python3 manage.py runserver --noreload --insecure \
    "127.0.0.1:$DJANGO_PORT" > "$SLIPWAY_SHARED/data/server.log" 2>&1 \
    < /dev/null &
echo $! > "$pid_file"
EOF
script deploy/check <<'EOF'
#!/bin/sh
# The server must answer within twenty seconds, and not with an error.
tries=0
until curl -s -f -o /dev/null "http://127.0.0.1:$DJANGO_PORT/"; do
	tries=$((tries + 1))
	[ $tries -lt 200 ] || exit 1
	kill -0 "$(cat "$SLIPWAY_SHARED/data/server.pid")" || exit 1
	sleep 0.1
done
EOF
git -C "$work" commit -q -m "a catalogue -setup-"

served() {
	curl -s -m 20 "http://127.0.0.1:$port$1"
}
migrations() {
	sqlite3 "$root/shared/data/site.db" "SELECT name FROM
	    django_migrations WHERE app = 'catalogue' ORDER BY id" |
	    paste -s -d ' '
}
columns() {
	sqlite3 "$root/shared/data/site.db" "SELECT name FROM
	    pragma_table_info('catalogue_item')" | paste -s -d ' '
}
server_pid() {
	cat "$root/shared/data/server.pid"
}

mkdir -p "$root/shared/data"
push
is_exit "push 1 succeeds" 0
started "$(server_pid)"
is "push 1: the site is there" "$(served /)" "version 1: boat"
is "its static file, too" "$(served /static/site.css)" \
    "body { color: black }"
like "the migration's output is shown" "$banner" '0001_initial.*OK'
one=$(current)
first_server=$(server_pid)

put catalogue/models.py "from django.db import models

class Item(models.Model):
    name = models.CharField(max_length=40)
    price = models.IntegerField(default=0)"
put catalogue/views.py "from django.http import HttpResponse
from .models import Item

def index(request):
    text = ' '.join('%s %d' % (i.name, i.price)
        for i in Item.objects.order_by('id'))
    return HttpResponse('version 2: ' + text + '\n')"
put catalogue/migrations/0002_price.py "from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [('catalogue', '0001_initial')]
    operations = [migrations.AddField('Item', 'price',
        models.IntegerField(default=7))]"
put assets/site.css "body { color: blue }"
git -C "$work" commit -q -m "prices -updb-"
push
started "$(server_pid)"
is "push 2: the new code with its column" "$(served /)" \
    "version 2: boat 7"
isnt "by another server process" "$(server_pid)" "$first_server"
ok "the old one has ended" ended "$first_server"
is "with the new static file" "$(served /static/site.css)" \
    "body { color: blue }"
is "the column is there" "$(columns)" "id name price"
two=$(current)

put catalogue/views.py "from django.http import HttpResponse

def index(request):
    return HttpResponse('version 3\n')"
put catalogue/migrations/0003_colour.py "from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [('catalogue', '0002_price')]
    operations = [migrations.AddField('Item', 'colour',
        models.CharField(max_length=9, default='red'))]"
put catalogue/migrations/0004_broken.py "from django.db import migrations

def broken(apps, schema_editor):
    raise RuntimeError('this migration is broken')

class Migration(migrations.Migration):
    dependencies = [('catalogue', '0003_colour')]
    operations = [migrations.RunPython(broken, migrations.RunPython.noop)]"
git -C "$work" commit -q -m "colours -updb-"
push
started "$(server_pid)"
like "push 3: the failure is told" "$banner" \
    'error: deploy 3 failed at migrate \(updb\): exit 1'
like "with what the migration said" "$banner" 'this migration is broken'
like "and what is live" "$banner" "release $two is (still )?live"
is "the site serves what it served" "$(served /)" "version 2: boat 7"
is "what had been migrated of it was taken back" "$(migrations)" \
    "0001_initial 0002_price"
is "the column, too" "$(columns)" "id name price"
like "the banner says so" "$banner" 'migrations +ran, undone'

git -C "$work" rm -q catalogue/migrations/0004_broken.py
put catalogue/models.py "from django.db import models

class Item(models.Model):
    name = models.CharField(max_length=40)
    price = models.IntegerField(default=0)
    colour = models.CharField(max_length=9, default='red')"
put catalogue/views.py "from django.http import HttpResponse
from .models import Item

def index(request):
    text = ' '.join('%s %d %s' % (i.name, i.price, i.colour)
        for i in Item.objects.order_by('id'))
    return HttpResponse('version 4: ' + text + '\n')"
git -C "$work" commit -q -m "colours that work"
push
started "$(server_pid)"
is "push 4: mended, with the directive of the failed one" "$(served /)" \
    "version 4: boat 7 red"
is "all migrations are applied" "$(migrations)" \
    "0001_initial 0002_price 0003_colour"
like "that is what the journal says" "$(deploy 4 directives)" 'updb'

slip rollback
is_exit "rollback succeeds" 0
started "$(server_pid)"
is "the site is what it was" "$(served /)" "version 2: boat 7"
is "and so is the schema" "$(columns)" "id name price"
is "and the list of migrations" "$(migrations)" "0001_initial 0002_price"

slip rollback "$one"
is_exit "rollback to the first release succeeds" 0
started "$(server_pid)"
is "the site is the first one" "$(served /)" "version 1: boat"
is "with its schema" "$(columns)" "id name"

slip deploy main
is_exit "and forward again to the newest" 0
started "$(server_pid)"
is "with all migrations" "$(served /)" "version 4: boat 7 red"

kill "$(server_pid)"
wait_for 10 ended "$(server_pid)"
done_testing
