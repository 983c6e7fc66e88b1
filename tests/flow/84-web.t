#!/bin/sh
# In a web server's files the doctor judges what counts for our root, and
# nothing of other sites.

. "$(dirname "$0")/../lib.sh"
git config --global --unset gc.auto
make_site
push_file index.html one "first"
mkdir -p "$T/etc/nginx/sites-enabled" "$T/etc/apache2/sites-enabled"
nginx=$T/etc/nginx/sites-enabled/all
apache=$T/etc/apache2/sites-enabled/all.conf

# finds WHAT [LINE...]: the lines of which something is told, in their order.
finds() {
	what=$1
	shift
	run "$slipway" doctor -C "$repo" --etc "$T/etc"
	is "$what" "$(printf '%s\n' "$out" |
	    sed -nE "s,^[a-z]+: $T/etc/[^:]*:([0-9]+): .*,\1,p" | sort -n |
	    xargs)" "$*"
}

cat > "$nginx" <<EOF
server {
	root $root/current/public;
	add_header X "} # {"; # }
	if (\$uri ~ "^/a{2}") { return 404; }
	set \$a \${uri}b;
	location /old { root /var/www/old; disable_symlinks on; }
}
server { root /var/www/other; disable_symlinks on; open_file_cache max=9;
	location ~ \\.php\$ {
		fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
	}
}
EOF
finds "directives of other sites, and of a folder elsewhere"
cat > "$nginx" <<EOF
http {
	disable_symlinks
	    on;
	server { root $root/current; disable_symlinks off; }
	server { root '$root/current'; location / { index a; } }
	server { root /var/www/b;
		location /shop { root $root/current; open_file_cache max=9; }
	}
	server {
		location /x { root $root/releases/20261120101500; }
		location ~ \\.php\$ {
			fastcgi_param SCRIPT_FILENAME \$realpath_root\$x;
		}
	}
	server {
		root $root/current;
		fastcgi_param SCRIPT_FILENAME \$document_root\$x;
		location ~ \\.php\$ { fastcgi_pass unix:/run/php; }
	}
}
EOF
finds "what counts from outside, once, and within" 2 7 10 17
sed -i 's/fastcgi_pass/fastcgi_param SCRIPT_FILENAME $realpath_root$x; &/' \
    "$nginx"
finds "but for what is said again within" 2 7 10
printf 'server { disable_symlinks on; root "%s/current' "$root" > "$nginx"
finds "a file that ends in a word"
# shellcheck disable=SC2016 # nginx's own
printf 'server { root ${x' > "$nginx"
finds "or in a variable"
printf '}}} server }\nroot %s/current; disable_symlinks on;' "$root" \
    > "$nginx"
finds "or closes what it has not opened" 2
cat > "$nginx" <<EOF
server {
	root $root/current;
	location ~ \\.php\$ {
		fastcgi_param SCRIPT_FILENAME \${document_root}\$x;
	}
}
EOF
finds "PHP's path in braces" 4
# shellcheck disable=SC2016 # nginx's own
sed -i 's/^	}/fastcgi_param SCRIPT_FILENAME "${realpath_root}$x";&/' "$nginx"
finds "of either root"
cat > "$nginx" <<EOF
http {
	init_by_lua_block {
		local a = { b = "} \\" }", c = '}' } -- don't }
		local d = [[ does } ]] .. [=[ ]] } ]=] --[[ }
		} ]]
	}
	server {
		root $root/current;
		set_by_lua_block \$y { return a[1] - -1 }
		disable_symlinks on;
	}
	server { root /var/www/other; disable_symlinks on; }
}
EOF
finds "what is behind Lua" 10
printf 'root %s/current; disable_symlinks on; a_by_lua_block {"\\' "$root" \
    > "$nginx"
finds "or before some that does not end" 1
{
	echo "server { root $root/current; open_file_cache max=9;"
	seq -f "location = /o/%.0f { return 301 /new; }" 20000
	echo "}"
} > "$nginx"
run sh -c 'ulimit -t 10; exec "$@"' sh "$slipway" doctor -C "$repo" \
    --etc "$T/etc"
like "thousands of blocks are judged in seconds" "$out" "$nginx:1: "
rm "$nginx"

# As a real apache has it, links are followed by what is said above them.
cat > "$apache" <<EOF
DocumentRoot $root/current/public
<Directory $root/current/public>
	Options None
</Directory>
<Directory $root/current>
	Options None
</Directory>
<Directory $root-other>
	Options None
</Directory>
EOF
finds "what apache is told at current, below and beside it"
cat >> "$apache" <<EOF
<Directory />
	Options None
</Directory>
EOF
finds "above it" 12
cat >> "$apache" <<EOF
<Directory "$root/">
	Options +Indexes
</Directory>
EOF
finds "and where nothing else is said of links" 12
sed -i 's/+Indexes/+Indexes +FollowSymLinks/' "$apache"
finds "but not where they are followed again"
done_testing
